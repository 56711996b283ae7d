"""Table 1 and Figure 4: 48 channels, 800 epochs. Paper's Delta: UCF101 +2.73, Diving48 -1.87."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(channels=48, temporal=dict(hidden=2048)))
