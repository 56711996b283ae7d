"""Figures 5 and 6 and Table 3: blocks of the temporal module, 4. Paper: 5.18 M parameters, 8.12 G multiply-adds."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(temporal=dict(blocks=4)))
