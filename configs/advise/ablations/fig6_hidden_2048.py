"""Figures 5 and 6 and Table 3: hidden channels, 2048. Paper: 42.21 M parameters, 66.18 G multiply-adds."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(temporal=dict(hidden=2048)))
