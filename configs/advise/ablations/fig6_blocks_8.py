"""Figures 5 and 6 and Table 3: blocks of the temporal module, 8. Paper: 9.63 M parameters, 15.11 G multiply-adds."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(temporal=dict(blocks=8)))
