# Exemplars of single frames on the videos of vivi_ex4_digits.py: one frame of each of 64 videos, augmented 4 times.
_base_ = './vivi_ex4_digits.py'
model = dict(num_shots=1, video_loss=None)
_base_.train_pipeline[1] = dict(type='SampleViews', num_views=4, clip_len=1, same_clip=True)
train_dataloader = dict(
    batch_size=64,
    dataset=dict(_delete_=True, type='VideoFolder', root='data/digit_shots', pipeline=_base_.train_pipeline))
train_cfg = dict(global_batch=64)
auto_scale_lr = dict(base_batch_size=64)
