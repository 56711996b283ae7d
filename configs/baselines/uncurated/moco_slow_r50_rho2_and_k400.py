"""Uncurated videos and Kinetics together, by shares: ours, no row of the study.

An epoch has as many videos as both have, half of them from each, however many each has. `sampler.steps` sets another
length, such as 469, Kinetics' own.
"""
_base_ = '../moco_slow_r50_rho2_k400.py'
train_dataloader = dict(
    sampler=dict(type='ShareSampler', shares=(1, 1)),
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[
            dict(_base_.train_dataloader.dataset),
            dict(_base_.train_dataloader.dataset, root='data/uncurated', ann_file=''),
        ]))
