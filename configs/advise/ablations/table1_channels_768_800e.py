"""Table 1 and Figure 4: 768 channels, 800 epochs. Paper's Delta: UCF101 +1.79, Diving48 +2.71."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(channels=768, temporal=dict(hidden=2048)))
