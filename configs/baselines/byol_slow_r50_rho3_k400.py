"""rho-BYOL with 3 clips of a video. The study reports K400 linear 68.3, UCF101 93.8, SSv2 55.8 (Tables 2 and 10)."""
_base_ = './byol_slow_r50_rho2_k400.py'
_base_.train_dataloader.dataset.pipeline[1].num_views = 3
