"""Table 5: MoCo with clips of 16 frames, every 4th. The study reports K400 linear 67.6, UCF101 93.3."""
_base_ = '../moco_slow_r50_rho2_k400.py'
for dataset in (_base_.train_dataloader.dataset, *_base_.val_dataloader.dataset.datasets,
                *_base_.test_dataloader.dataset.datasets):
    dataset.pipeline[1].update(clip_len=16, frame_interval=4)
del dataset
