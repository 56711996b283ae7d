"""rho-SimCLR with PySlowFast's released settings (SimCLR_SlowR50_8x8_T2_epoch_00200.pyth).

From simclr_slow_r50_rho2_k400.py differ: no BN in the projector, twice the learning rate (the file is that of 4 clips
and has .6 before 1.2: the last one counts), 35 epochs of warm-up, views, colours and normalisation; for more than 2
clips the loss, which sums over pairs of neighbours. At 2 clips there is one pair, and the loss is the study's.

PySlowFast reports K400 linear 61.5, UCF101 88.3, SSv2 51.4.
"""
_base_ = [
    '../_base_/models/simclr_slow_r50.py',
    './_base_/kinetics400_pyslowfast.py',
    './_base_/lars_b512_200e_pyslowfast.py',
    './_base_/runtime.py',
]
model = dict(
    projector=dict(norm=False),
    positives='adjacent',
    reduction='sum',
    normalization=_base_.normalization,
    data_preprocessor=dict(color_jitter=_base_.colors))
optim_wrapper = dict(optimizer=dict(lr=9.6))
_base_.param_scheduler[0].start_factor = .001 / 1.2
