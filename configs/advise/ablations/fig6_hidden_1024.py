"""Figures 5 and 6 and Table 3: hidden channels, 1024. Paper: 12.06 M parameters, 18.91 G multiply-adds."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(temporal=dict(hidden=1024)))
