"""Table 1: 12 channels, 200 epochs. Paper's Delta: UCF101 +0.20, Diving48 -2.73."""
_base_ = './table1_channels_12_800e.py'
train_cfg = dict(max_epochs=200, val_interval=20)
_base_.param_scheduler[1].end = 200
