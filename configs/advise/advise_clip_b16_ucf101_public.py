"""AdViSe with CLIP ViT-B/16 as the public code trains it, UCF101, 800 epochs: what differs is in _base_/public.py."""
_base_ = ['./advise_clip_b16_ucf101.py', './_base_/public.py']
_base_.train_pipeline[3] = _base_.public_crop
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
model = dict(
    backbone=dict(teacher=dict(_base_.teacher, **_base_.imagenet)),
    cls_head=dict(batch_norm=True),
    data_preprocessor=dict(color_jitter=dict(hue=0.), gray_prob=0.))
