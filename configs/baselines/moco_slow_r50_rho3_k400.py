"""rho-MoCo with 3 clips of a video. The study reports K400 linear 67.3, UCF101 92.8, SSv2 54.4 (Tables 2 and 10)."""
_base_ = './moco_slow_r50_rho2_k400.py'
_base_.train_dataloader.dataset.pipeline[1].num_views = 3
