"""rho-MoCo with 4 clips and PySlowFast's released settings (MoCo_SlowR50_8x8_T4_epoch_00200.pyth).

Each positive has a softmax of its own, where the study's equation 1 puts all into one numerator. PySlowFast reports
K400 linear 71.0, UCF101 94.5, SSv2 54.0.
"""
_base_ = './moco_slow_r50_rho2_k400_pyslowfast.py'
model = dict(positives='separate')
_base_.train_dataloader.dataset.pipeline[1].num_views = 4
