"""Linear classification on frozen features of Kinetics-400 as in the large-scale study (B.2), 10 x 3 views.

60 epochs (100 gain .2 points, it says) with a learning rate of 4.0 for 512 videos a step, 8 epochs of warm-up, no
weight decay. Figures of the study for each checkpoint: ../README.md.
"""
_base_ = '../../downstream/linear_k400_adapting_bn.py'  # BN as in PySlowFast; the study does not say
batch = 512
train_cfg = dict(max_epochs=60, global_batch=batch)
# PySlowFast's: Nesterov, and that the warm-up ends on the cosine. The study says neither.
optim_wrapper = dict(optimizer=dict(lr=4., nesterov=True))
param_scheduler = [dict(type='WarmupCosineLR', start_factor=0., warmup=8, by_epoch=True, end=60,
                        convert_to_iter_based=True)]
auto_scale_lr = dict(base_batch_size=batch)
