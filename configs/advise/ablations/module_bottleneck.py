"""Not in the paper: a bottleneck with time in its middle (1x1x1, 3x3x3, 1x1x1): 3.02 M."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(temporal=dict(_delete_=True, type='bottleneck', kernel=3)))
