"""Kernel 3 over time (3x1x1, 1x3x3, 1x1x1), as the text describes the block: 2.23 M, with a head of 101 classes 4.54 M.

Table 8 prints 4.5 M. Kernel 1 is fig6_hidden_256.py.
"""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(temporal=dict(kernel=3)))
