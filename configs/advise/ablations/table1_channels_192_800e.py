"""Table 1 and Figure 4: 192 channels, 800 epochs. Paper's Delta: UCF101 +3.01, Diving48 +0.79."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(channels=192, temporal=dict(hidden=2048)))
