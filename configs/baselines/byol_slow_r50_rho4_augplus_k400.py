"""rho-BYOL with 4 clips and "aug+": colours of strength .75 and a crop of random area and aspect.

The study reports K400 linear 69.8, UCF101 93.9 (Table 9); 70.0 with a classifier of 100 epochs, and as the mean of
3 splits UCF101 94.2, HMDB51 72.1 (Table 11).
"""
_base_ = './byol_slow_r50_rho4_k400.py'
# Strength .75 in place of .5 (Table 7), 1.5 times B.1's colours; PySlowFast's files have twice these, .6 .6 .6 .15.
model = dict(data_preprocessor=dict(color_jitter=dict(brightness=.3, contrast=.3, saturation=.3, hue=.075)))
_base_.train_dataloader.dataset.pipeline[3].area = (.2, .76)  # aspect in [3/4, 4/3] (Table 8)
