"""Figures 5 and 6 and Table 3: hidden channels, 512. Paper: 4.07 M parameters, 6.37 G multiply-adds."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(temporal=dict(hidden=512)))
