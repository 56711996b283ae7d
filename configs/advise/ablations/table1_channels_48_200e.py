"""Table 1: 48 channels, 200 epochs. Paper's Delta: UCF101 +1.73, Diving48 -1.41."""
_base_ = './table1_channels_48_800e.py'
train_cfg = dict(max_epochs=200, val_interval=20)
_base_.param_scheduler[1].end = 200
