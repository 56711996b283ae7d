"""rho-SimCLR with 3 clips of a video. The study reports K400 linear 62.0, UCF101 87.9, SSv2 52.0 (Tables 2 and 10)."""
_base_ = './simclr_slow_r50_rho2_k400.py'
_base_.train_dataloader.dataset.pipeline[1].num_views = 3
