# byol_r18_digits.py with the network of iboot_motion_r18_digits.py, which the quickstart compares it with: 12 epochs of
# two clips of a video make as many clips as its 24 of one.
_base_ = './byol_r18_digits.py'

model = dict(backbone=dict(inflate=(1, 1, 1, 1), conv1_kernel=(3, 7, 7)))
_base_.train_pipeline[0].update(decoder='frame_cache', folder='data/moving_digits_frames')
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
_base_.train_cfg.update(max_epochs=12, val_interval=12)
_base_.param_scheduler[-1].end = 12
