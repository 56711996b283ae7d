"""rho-SwAV with 4 clips of a video. The study ran out of memory here (Table 2)."""
_base_ = './swav_slow_r50_rho2_k400.py'
_base_.train_dataloader.dataset.pipeline[1].num_views = 4
