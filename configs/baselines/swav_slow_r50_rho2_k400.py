"""rho-SwAV with 2 clips of a video, the large-scale study's recipe (Feichtenhofer et al., 2021, appendix B.1).

200 epochs, 512 videos a step, BN over groups of 8 GPUs. Assignments are balanced over the videos that are forwarded
together: all 512 on 64 GPUs x 8, fewer if fewer GPUs accumulate; for GPUs and memory see simclr_slow_r50_rho2_k400.py.

Colours: see byol_slow_r50_rho2_k400.py. The study reports K400 linear 61.6, UCF101 87.3 (Table 2).
"""
_base_ = [
    '../_base_/models/swav_slow_r50.py',
    './_base_/kinetics400.py',
    '../_base_/schedules/lars_b512_200e.py',
    './_base_/runtime.py',
]
custom_hooks = _base_.custom_hooks + [dict(type='FreezePrototypesHook', epochs=1)]
