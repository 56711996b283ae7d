"""Figure 4 and Table 2: spatial resolution 9, 2048 hidden channels. Paper: 27.35 G multiply-adds."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(resolution=9, temporal=dict(hidden=2048)))
