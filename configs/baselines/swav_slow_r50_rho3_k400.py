"""rho-SwAV with 3 clips of a video. The study reports K400 linear 62.7, UCF101 89.4, SSv2 51.7 (Tables 2 and 10)."""
_base_ = './swav_slow_r50_rho2_k400.py'
_base_.train_dataloader.dataset.pipeline[1].num_views = 3
