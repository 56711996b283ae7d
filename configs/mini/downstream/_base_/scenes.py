# What both twins on scenes of digits (tools/data/make_digit_scenes.py) share: the mini network on clips of 4 frames,
# pictures of 96 pixels scaled to 80, so that digits are as large as in pre-training.
_base_ = ['../../../downstream/_base_/runtime.py', '../../../downstream/_base_/datasets/loaders.py']
data_root = 'data/digit_scenes/'
num_classes = 18  # 10 digits and 8 motions
clip = dict(clip_len=4, frame_interval=4)
model = dict(
    backbone=dict(type='SlowResNet', depth=18, base_channels=16),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW'))
train_dataloader = dict(num_workers=1, pin_memory=False)
val_dataloader = dict(num_workers=1)
test_dataloader = dict(num_workers=1, batch_size=16)
# SGD with Nesterov as the study's, for some three hundred steps.
train_cfg = dict(type='GlobalBatchTrainLoop', max_epochs=4, global_batch=16, val_interval=4)
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=.1, momentum=.9, weight_decay=1e-7, nesterov=True))
param_scheduler = [
    dict(type='LinearLR', start_factor=.01, by_epoch=True, begin=0, end=1, convert_to_iter_based=True),
    dict(type='MultiStepLR', by_epoch=True, milestones=[3], gamma=.1),
]
auto_scale_lr = dict(enable=False, base_batch_size=16)
sync_bn = None  # plain BN on any device
