"""rho-BYOL with 2 clips of a video, the large-scale study's recipe (Feichtenhofer et al., 2021, appendix B.1).

200 epochs, 512 videos a step, BN over groups of 8 GPUs. Clips are forwarded and backpropagated one after another, so
memory is that of one clip per video for any rho, and fewer than 64 GPUs accumulate. Colours are .2 .2 .2 .05, as B.1
prints; its Table 7 calls the same strength MoCo v2's default, which is .4 .4 .4 .1: perhaps a slip by a factor of 2.

The study reports K400 linear 65.8, UCF101 92.7 (Table 2). Evaluations: configs/baselines/downstream.
"""
_base_ = [
    '../_base_/models/byol_slow_r50.py',
    './_base_/kinetics400.py',
    '../_base_/schedules/lars_b512_200e.py',
    './_base_/runtime.py',
]
custom_hooks = _base_.custom_hooks + [dict(type='MomentumUpdateHook')]
