"""rho-BYOL with R(2+1)D-18, 4 clips of 32 frames, every 2nd (as in Table 5), and "aug+".

The study reports, as the mean of 3 splits, UCF101 94.4, HMDB51 72.2 (Table 11).
"""
_base_ = './byol_slow_r50_rho4_augplus_k400.py'
model = dict(backbone=dict(_delete_=True, type='R2Plus1D18'), feature_dim=512)
for dataset in (_base_.train_dataloader.dataset, *_base_.val_dataloader.dataset.datasets,
                *_base_.test_dataloader.dataset.datasets):
    dataset.pipeline[1].update(clip_len=32, frame_interval=2)
del dataset
