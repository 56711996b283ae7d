"""Table 1: 3 channels, 200 epochs. Paper's Delta: UCF101 +0.72, Diving48 -1.55."""
_base_ = './table1_channels_3_800e.py'
train_cfg = dict(max_epochs=200, val_interval=20)
_base_.param_scheduler[1].end = 200
