"""Figure 4 and Table 2: spatial resolution 14, 2048 hidden channels. Paper: 66.18 G multiply-adds."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(resolution=14, temporal=dict(hidden=2048)))
