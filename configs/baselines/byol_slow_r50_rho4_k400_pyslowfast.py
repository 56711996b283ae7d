"""rho-BYOL with 4 clips and PySlowFast's released settings (BYOL_SlowR50_8x8_T4_epoch_00200.pyth).

Its file says to double the learning rate for 4 clips. PySlowFast reports K400 linear 70.1, UCF101 94.7.
"""
_base_ = './byol_slow_r50_rho2_k400_pyslowfast.py'
optim_wrapper = dict(optimizer=dict(lr=9.6))
_base_.param_scheduler[0].start_factor = .001 / 1.2
_base_.train_dataloader.dataset.pipeline[1].num_views = 4
