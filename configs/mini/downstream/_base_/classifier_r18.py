# A classifier around the mini network (configs/mini/_base_/iboot_slow_r18.py), on its clips of 8 frames of 48 pixels,
# every second of 16; tested on 3 clips x 1 crop (the videos are square). SGD as at full size, but for some hundred
# steps of 32 videos.
_base_ = ['../../../downstream/_base_/runtime.py', '../../_base_/clips48.py']

model = dict(
    type='Recognizer3D',
    backbone=dict(type='SlowResNet', depth=18, base_channels=16),
    cls_head=dict(type='I3DHead', in_channels=128, num_classes=10, dropout_ratio=0., average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW'))

train_pipeline = _base_.train_pipeline
train_pipeline[1].num_views = 1
test_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleViews', num_views=3, test_mode=True, **_base_.clip),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=48, short_side=48, test_mode=True),
    dict(type='PackViews'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(type='VideoFolder', test_mode=True, pipeline=_base_.val_pipeline))
test_dataloader = dict(
    batch_size=16,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='VideoFolder', test_mode=True, pipeline=test_pipeline))
val_evaluator = dict(type='ReadableAccMetric')
test_evaluator = val_evaluator
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

train_cfg = dict(type='GlobalBatchTrainLoop', max_epochs=10, global_batch=32, val_interval=5)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=.01, momentum=.9, weight_decay=0.))
param_scheduler = [
    dict(type='LinearLR', start_factor=.01, by_epoch=True, begin=0, end=1, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0, by_epoch=True, begin=1, end=10, convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=32)
sync_bn = None  # plain BN on any device
