"""As byol_slow_r50_rho4_k400_pyslowfast.py with clips of 16 frames, every 4th (BYOL_SlowR50_16x4_T4_epoch_00200.pyth).

PySlowFast names its file for 8x8 beside that checkpoint, and reports K400 linear 71.1, UCF101 95.4.
"""
_base_ = './byol_slow_r50_rho4_k400_pyslowfast.py'
for dataset in (_base_.train_dataloader.dataset, *_base_.val_dataloader.dataset.datasets,
                *_base_.test_dataloader.dataset.datasets):
    dataset.pipeline[1].update(clip_len=16, frame_interval=4)
del dataset
