"""Table 1: rho-BYOL. Paper: k-NN 33.2, HMDB51 57.7, UCF101 87.3.

The paper says of it that the target is a moving average "as in [19]", and of all ablations LARS, 100 epochs, 104 videos
a step, BN over all GPUs. **Our choices**, where it is silent: 2 clips, the study's heads and momentum, and iBoot's
learning rate and warm-up, since Table 1 compares targets.
"""
_base_ = [
    '../_base_/models/byol_slow_r50.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/schedules/lars_b104_100e.py',
    '../_base_/default_runtime.py',
]
_base_.train_dataloader.dataset.pipeline[1].num_views = 2
custom_hooks = _base_.custom_hooks + [dict(type='MomentumUpdateHook')]
