_base_ = './adamw_b32_800e.py'
train_cfg = dict(max_epochs=200, val_interval=20)
_base_.param_scheduler[1].end = 200
