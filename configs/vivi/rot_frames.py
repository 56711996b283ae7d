"""Rot-YT-F: how far single frames are turned, one of each video. The paper reports 56.9 on VTAB (Table 2).

Warm-up as in ex_frames.py; gray and standardised patches are for exemplars alone in the protocol of [33]
(config/rotation/imagenet.sh).
"""
_base_ = './ex_frames.py'
model = dict(
    shot_loss=dict(_delete_=True, type='RotationHead'),
    standardize=False,
    data_preprocessor=dict(type='ViewPreprocessor'))
_base_.train_dataloader.dataset.pipeline[1].num_views = 1
train_dataloader = dict(batch_size=128, dataset=dict(pipeline=_base_.train_dataloader.dataset.pipeline))
