# Kinetics-400, laid out and listed by MMAction2's tools/data/kinetics (`CLASS/VIDEO.mp4 LABEL` a line).
# Pre-training reads no label; the k-NN score below does.
data_root = 'data/kinetics400/'

# Three independent clips of 8 frames, every 8th: the first is for the teacher, the others for the network.
train_dataloader = dict(
    batch_size=13,  # the most videos a GPU takes at once; the loop divides the global batch (see train_cfg)
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='EpochSampler', shuffle=True),
    dataset=dict(
        type='VideoFolder',
        root=data_root + 'videos_train',
        ann_file=data_root + 'kinetics400_train_list_videos.txt',
        pipeline=[
            dict(type='OpenVideo'),
            dict(type='SampleViews', num_views=3, clip_len=8, frame_interval=8),
            dict(type='DecodeViews'),
            dict(type='CropViews', size=224, short_side=(256, 320), flip_prob=.5),
            dict(type='PackViews'),
        ]))

# Weighted k-NN: one centre clip of each video, train set as gallery, validation set as queries. A pass reads
# 260k clips, about a tenth of the work of a training epoch, hence not after each of them; `share=.1` of the gallery
# makes it 44k, for a score that is lower (benchmarks/README.md).
val_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleViews', num_views=1, clip_len=8, frame_interval=8, test_mode=True),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=224, short_side=256, test_mode=True),
    dict(type='PackViews'),
]
val_dataloader = dict(
    batch_size=32,
    num_workers=8,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(
                type='VideoFolder',
                root=data_root + 'videos_train',
                ann_file=data_root + 'kinetics400_train_list_videos.txt',
                role='gallery',
                test_mode=True,
                pipeline=val_pipeline),
            dict(
                type='VideoFolder',
                root=data_root + 'videos_val',
                ann_file=data_root + 'kinetics400_val_list_videos.txt',
                role='query',
                test_mode=True,
                pipeline=val_pipeline),
        ]))
val_evaluator = dict(type='KNNMetric', k=20, temperature=.07)
val_cfg = dict(type='ValLoop')
test_dataloader = val_dataloader
test_evaluator = val_evaluator
test_cfg = dict(type='TestLoop')
