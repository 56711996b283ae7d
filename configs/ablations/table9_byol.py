"""Table 9: rho-BYOL from scratch, 200 epochs of 416 videos a step. Paper: k-NN 46.6, HMDB51 64.1, UCF101 91.2.

Where the paper is silent: as table1_byol.py. The study's own recipe is ../baselines/byol_slow_r50_rho2_k400.py.
"""
_base_ = [
    '../_base_/models/byol_slow_r50.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/schedules/lars_b416_200e.py',
    '../_base_/default_runtime.py',
]
_base_.train_dataloader.dataset.pipeline[1].num_views = 2
custom_hooks = _base_.custom_hooks + [dict(type='MomentumUpdateHook')]
