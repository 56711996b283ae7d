"""VIVI-Rot(2): how far each frame is turned, InfoNCE between 2 shots. Gains less than with 4 (section 5.1)."""
_base_ = './vivi_rot4.py'
model = dict(num_shots=2, video_loss=dict(type='ShotPairHead'))
_base_.train_dataloader.dataset.pipeline[1].num_shots = 2
train_dataloader = dict(batch_size=16, dataset=dict(num_shots=2))
batch = 1024  # videos of 2 shots
train_cfg = dict(global_batch=batch)
auto_scale_lr = dict(base_batch_size=batch)
