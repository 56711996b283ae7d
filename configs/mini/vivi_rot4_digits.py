# vivi_ex4_digits.py with rotations in place of exemplars, each frame in four positions; half as many frames, as there.
_base_ = './vivi_ex4_digits.py'
model = dict(shot_loss=dict(_delete_=True, type='RotationHead'))
_base_.train_pipeline[1].shot_len = 2
train_dataloader = dict(dataset=dict(min_length=2, pipeline=_base_.train_pipeline))
