"""Table 5: MoCo with clips of 32 frames, every 2nd. The study reports K400 linear 67.8, UCF101 94.2."""
_base_ = '../moco_slow_r50_rho2_k400.py'
for dataset in (_base_.train_dataloader.dataset, *_base_.val_dataloader.dataset.datasets,
                *_base_.test_dataloader.dataset.datasets):
    dataset.pipeline[1].update(clip_len=32, frame_interval=2)
del dataset
