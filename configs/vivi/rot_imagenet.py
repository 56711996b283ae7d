"""Rot-ImageNet: rot_frames.py on the images of ImageNet, without their labels (Figure 3).

The paper says of its score on VTAB that it is 1.4 points above that of ex_imagenet.py (section 5.1).
"""
_base_ = './ex_imagenet.py'
model = dict(
    shot_loss=dict(_delete_=True, type='RotationHead'),
    standardize=False,
    data_preprocessor=dict(type='ViewPreprocessor'))
_base_.train_dataloader.dataset.pipeline[1].num_views = 1
train_dataloader = dict(batch_size=128, dataset=dict(pipeline=_base_.train_dataloader.dataset.pipeline))
