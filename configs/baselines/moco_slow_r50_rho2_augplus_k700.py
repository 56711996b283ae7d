"""As moco_slow_r50_rho4_augplus_k700.py with 2 clips.

The study reports linear K400 70.0, K600 71.4, K700 56.2, UCF101 92.8 (Table 14).
"""
_base_ = './moco_slow_r50_rho4_augplus_k700.py'
_base_.train_dataloader.dataset.pipeline[1].num_views = 2
