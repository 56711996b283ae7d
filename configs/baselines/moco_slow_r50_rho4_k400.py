"""rho-MoCo with 4 clips of a video. The study reports K400 linear 67.8, UCF101 93.5 (Table 2)."""
_base_ = './moco_slow_r50_rho2_k400.py'
_base_.train_dataloader.dataset.pipeline[1].num_views = 4
