"""Figures 5 and 6 and Table 3: hidden channels, 256. Paper: 1.84 M parameters, 2.88 G multiply-adds."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(temporal=dict(hidden=256)))
