"""Ex-ImageNet: ex_frames.py on the images of ImageNet, without their labels. The paper reports 59.5 on VTAB (Table 1).

An epoch is a pass of 625 steps, 192 are 120k steps; the schedule is that of ex_frames.py, to the next epoch.
"""
_base_ = './ex_frames.py'
_base_.train_dataloader.dataset.pipeline[0] = dict(type='OpenVideo', decoder='picture')
train_dataloader = dict(
    sampler=dict(steps=625),
    dataset=dict(
        _delete_=True,
        type='LabelledImages',
        root='data/imagenet/train',
        num_classes=1000,
        pipeline=_base_.train_dataloader.dataset.pipeline))
train_cfg = dict(max_epochs=192)
_base_.param_scheduler[0].milestones = [144, 176]
_base_.param_scheduler[1].end = 27
