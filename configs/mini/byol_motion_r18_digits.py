# byol_r18_digits.py with the network of iboot_motion_r18_digits.py, which the quickstart compares it with.
_base_ = './byol_r18_digits.py'

model = dict(backbone=dict(inflate=(1, 1, 1, 1), conv1_kernel=(3, 7, 7)))
train_cfg = dict(val_interval=5)
