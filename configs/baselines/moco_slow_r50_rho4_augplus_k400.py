"""rho-MoCo with 4 clips and "aug+": colours of strength .75 and a crop of random area and aspect.

The study reports K400 linear 69.0, UCF101 93.6 (Table 9), K600 linear 70.0, K700 54.2 (Table 14).
"""
_base_ = './moco_slow_r50_rho4_k400.py'
# Strength .75 in place of .5 (Table 7), 1.5 times B.1's colours; PySlowFast's files have twice these, .6 .6 .6 .15.
model = dict(data_preprocessor=dict(color_jitter=dict(brightness=.3, contrast=.3, saturation=.3, hue=.075)))
_base_.train_dataloader.dataset.pipeline[3].area = (.2, .76)  # aspect in [3/4, 4/3] (Table 8)
