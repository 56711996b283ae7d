# Frozen features of the quickstart's moving digits, from the mini network (configs/mini/_base_/iboot_slow_r18.py).
_base_ = '../../../downstream/_base_/frozen_features.py'

model = dict(backbone=dict(depth=18, base_channels=16))

data_root = 'data/moving_digits'
label_names = ('digit', 'motion')
gallery_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleViews', num_views=1, clip_len=8, frame_interval=2, test_mode=True),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=48, short_side=48, test_mode=True),
    dict(type='PackViews'),
]
query_pipeline = gallery_pipeline
test_dataloader = dict(
    batch_size=32,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(
                type='VideoFolder',
                root=data_root,
                ann_file='train.txt',
                label_names=label_names,
                role='gallery',
                test_mode=True,
                pipeline=gallery_pipeline),
            dict(
                type='VideoFolder',
                root=data_root,
                ann_file='test.txt',
                label_names=label_names,
                role='query',
                test_mode=True,
                pipeline=query_pipeline),
        ]))
