"""rho-BYOL with 4 clips of 16 frames, every 4th, and "aug+". The evaluations show it such clips, too.

The study reports K400 linear 71.5, and as the mean of 3 splits UCF101 95.5, HMDB51 73.6 (Table 11).
"""
_base_ = './byol_slow_r50_rho4_augplus_k400.py'
for dataset in (_base_.train_dataloader.dataset, *_base_.val_dataloader.dataset.datasets,
                *_base_.test_dataloader.dataset.datasets):
    dataset.pipeline[1].update(clip_len=16, frame_interval=4)
del dataset
