"""Table 1: 192 channels, 200 epochs. Paper's Delta: UCF101 +1.36, Diving48 -0.71."""
_base_ = './table1_channels_192_800e.py'
train_cfg = dict(max_epochs=200, val_interval=20)
_base_.param_scheduler[1].end = 200
