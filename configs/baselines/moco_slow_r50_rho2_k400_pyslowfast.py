"""rho-MoCo with PySlowFast's released settings (MoCo_SlowR50_8x8_T2_epoch_00200.pyth).

From moco_slow_r50_rho2_k400.py differ: the sum of the sub-losses, not their mean, twice the learning rate, 35 epochs
of warm-up, views, colours and normalisation. The file is that of 4 clips; for 2 it may have been .4, its first value.
PySlowFast trains in mixed precision (`--amp`), spends the first steps on filling the queue, and lets momentum lag one
step behind.

PySlowFast reports K400 linear 66.6, UCF101 91.3, SSv2 52.7.
"""
_base_ = [
    '../_base_/models/moco_slow_r50.py',
    './_base_/kinetics400_pyslowfast.py',
    './_base_/sgd_b512_200e_pyslowfast.py',
    './_base_/runtime_local_bn.py',
]
model = dict(
    reduction='sum',
    normalization=_base_.normalization,
    data_preprocessor=dict(color_jitter=_base_.colors))
custom_hooks = _base_.custom_hooks + [dict(type='MomentumUpdateHook')]
