"""Sup-Rot-100%: rotations of ImageNet and all of its labels. The paper reports 68.0 on VTAB (Table 1).

S4L [68], whose public code has no schedule for all labels: **our choice** is that of sup_imagenet.py, 90 passes of 1024
labelled images a step, beside 256 that are turned, which S4L labels in all four positions and this only upright.
"""
_base_ = ['./rot_imagenet.py', './_base_/imagenet.py']
model = dict(type='CoTrainedVIVI', num_classes=1000, image_weight=1., data_preprocessor=dict(color_jitter=None))
batch = 256
train_dataloader = dict(batch_size=8, sampler=dict(steps=1251, multiple_of=batch))
train_cfg = dict(
    _delete_=True,
    type='MultiLoaderEpochBasedTrainLoop',
    max_epochs=90,
    val_interval=10,
    other_loaders=[_base_.image_loader])
optim_wrapper = dict(optimizer=dict(lr=.4))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[30, 60, 80], gamma=.1, by_epoch=True),
    dict(type='LinearLR', start_factor=1e-3, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
]
auto_scale_lr = dict(base_batch_size=batch)
