"""Figures 5 and 6 and Table 3: hidden channels, 256. Paper: 1.84 M parameters, 2.88 G multiply-adds."""
_base_ = './_base_/clip_b16.py'
model = dict(backbone=dict(temporal=dict(hidden=256)))
