"""Rot-YT-F: how far single frames are turned, one of each video. The paper reports 56.9 on VTAB (Table 2)."""
_base_ = './ex_frames.py'
model = dict(shot_loss=dict(_delete_=True, type='RotationHead'))
_base_.train_dataloader.dataset.pipeline[1].num_views = 1
train_dataloader = dict(batch_size=128, dataset=dict(pipeline=_base_.train_dataloader.dataset.pipeline))
