"""Figures 5 and 6 and Table 3: blocks of the temporal module, 2. Paper: 2.95 M parameters, 4.62 G multiply-adds."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(temporal=dict(blocks=2)))
