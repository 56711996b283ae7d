"""rho-SwAV with PySlowFast's released settings (SwAV_SlowR50_8x8_T2_epoch_00200.pyth).

From swav_slow_r50_rho2_k400.py differ: 1000 prototypes, 35 epochs of warm-up, views, colours and normalisation.

PySlowFast reports K400 linear 62.6, UCF101 90.2, SSv2 52.5.
"""
_base_ = [
    '../_base_/models/swav_slow_r50.py',
    './_base_/kinetics400_pyslowfast.py',
    './_base_/lars_b512_200e_pyslowfast.py',
    './_base_/runtime.py',
]
model = dict(
    num_prototypes=1000,
    normalization=_base_.normalization,
    data_preprocessor=dict(color_jitter=_base_.colors))
custom_hooks = _base_.custom_hooks + [dict(type='FreezePrototypesHook', epochs=1)]
