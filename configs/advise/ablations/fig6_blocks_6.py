"""Figures 5 and 6 and Table 3: blocks of the temporal module, 6. Paper: 7.41 M parameters, 11.61 G multiply-adds."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(temporal=dict(blocks=6)))
