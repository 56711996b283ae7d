"""Figure 4 and Table 2: spatial resolution 1, 2048 hidden channels. Paper: .34 G multiply-adds."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(resolution=1, temporal=dict(hidden=2048)))
