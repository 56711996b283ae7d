# vivi_ex4_digits.py with 2 shots of twice as many videos.
_base_ = './vivi_ex4_digits.py'
model = dict(num_shots=2, video_loss=dict(type='ShotPairHead'))
_base_.train_pipeline[1].num_shots = 2
train_dataloader = dict(batch_size=32, dataset=dict(num_shots=2, pipeline=_base_.train_pipeline))
train_cfg = dict(global_batch=32)
auto_scale_lr = dict(base_batch_size=32)
