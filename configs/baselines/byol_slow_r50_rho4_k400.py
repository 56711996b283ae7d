"""rho-BYOL with 4 clips of a video. The study reports K400 linear 68.9, UCF101 93.8 (Table 2)."""
_base_ = './byol_slow_r50_rho2_k400.py'
_base_.train_dataloader.dataset.pipeline[1].num_views = 4
