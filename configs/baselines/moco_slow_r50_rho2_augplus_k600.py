"""As moco_slow_r50_rho4_augplus_k600.py with 2 clips.

The study reports linear K400 69.6, K600 70.7, K700 55.1, UCF101 92.7 (Table 14).
"""
_base_ = './moco_slow_r50_rho4_augplus_k600.py'
_base_.train_dataloader.dataset.pipeline[1].num_views = 2
