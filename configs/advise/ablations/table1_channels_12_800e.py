"""Table 1 and Figure 4: 12 channels, 800 epochs. Paper's Delta: UCF101 +2.07, Diving48 -0.55."""
_base_ = './_base_/clip_b16.py'
model = dict(backbone=dict(channels=12, temporal=dict(hidden=2048)))
