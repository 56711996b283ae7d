"""Table 1 and Figure 4: 3 channels, 800 epochs. Paper's Delta: UCF101 +2.72, Diving48 +0.26."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(channels=3, temporal=dict(hidden=2048)))
