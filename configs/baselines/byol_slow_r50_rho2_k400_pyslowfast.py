"""rho-BYOL with PySlowFast's released settings, which made BYOL_SlowR50_8x8_T2_epoch_00200.pyth.

From byol_slow_r50_rho2_k400.py differ: the sum of the sub-losses, not their mean (it acts on BN, biases and weight
decay; LARS levels the rest), 35 epochs of warm-up, views, colours and normalisation. PySlowFast's momentum lags one
step behind ours.

PySlowFast reports K400 linear 67.4, UCF101 94.0, SSv2 54.4.
"""
_base_ = [
    '../_base_/models/byol_slow_r50.py',
    './_base_/kinetics400_pyslowfast.py',
    './_base_/lars_b512_200e_pyslowfast.py',
    './_base_/runtime.py',
]
model = dict(
    reduction='sum',
    normalization=_base_.normalization,
    data_preprocessor=dict(color_jitter=_base_.colors))
custom_hooks = _base_.custom_hooks + [dict(type='MomentumUpdateHook')]
