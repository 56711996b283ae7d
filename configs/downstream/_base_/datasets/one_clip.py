# One clip of each video, from its middle: 8 frames, every 8th. For k-NN over several clips, which are averaged, set
# num_views of both data sets: --cfg-options test_dataloader.dataset.datasets.{0,1}.pipeline.1.num_views=10
pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleViews', num_views=1, clip_len=8, frame_interval=8, test_mode=True),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=224, short_side=256, test_mode=True),
    dict(type='PackViews'),
]
test_dataloader = dict(
    batch_size=32,
    num_workers=8,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(type='VideoFolder', role=role, test_mode=True, pipeline=pipeline) for role in ('gallery', 'query')
        ]))
del pipeline
