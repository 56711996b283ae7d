"""Table 7: MoCo with colours of strength .75. The study reports K400 linear 66.0, UCF101 92.1."""
_base_ = '../moco_slow_r50_rho2_k400.py'
# 1.5 times B.1's.
model = dict(data_preprocessor=dict(color_jitter=dict(brightness=.3, contrast=.3, saturation=.3, hue=.075)))
