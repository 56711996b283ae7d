"""rho-MoCo with 2 clips of a video, the large-scale study's recipe (Feichtenhofer et al., 2021, appendix B.1).

200 epochs, 512 videos a step, BN within each GPU's 8. Clips are forwarded and backpropagated one after another, so
memory is that of one clip per video for any rho, and fewer than 64 GPUs accumulate; one alone has none to shuffle keys
with. Colours: see byol_slow_r50_rho2_k400.py. The study reports K400 linear 65.8, UCF101 91.0 (Table 2).
"""
_base_ = [
    '../_base_/models/moco_slow_r50.py',
    './_base_/kinetics400.py',
    '../_base_/schedules/sgd_b512_200e.py',
    './_base_/runtime_local_bn.py',
]
custom_hooks = _base_.custom_hooks + [dict(type='MomentumUpdateHook')]
