"""Table 1 and Figure 4: 12 channels, 800 epochs. Paper's Delta: UCF101 +2.07, Diving48 -0.55."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(channels=12, temporal=dict(hidden=2048)))
