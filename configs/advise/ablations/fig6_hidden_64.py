"""Figures 5 and 6 and Table 3: hidden channels, 64. Paper: .94 M parameters, 1.47 G multiply-adds."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(temporal=dict(hidden=64)))
