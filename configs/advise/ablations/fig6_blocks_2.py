"""Figures 5 and 6 and Table 3: blocks of the temporal module, 2. Paper: 2.95 M parameters, 4.62 G multiply-adds."""
_base_ = './_base_/clip_b16.py'
model = dict(backbone=dict(temporal=dict(blocks=2)))
