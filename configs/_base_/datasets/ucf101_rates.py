# Playback rates of UCF101 (split 1 of MMAction2's tools/data/ucf101): 4 clips of a video, 8 frames, every 2nd at rate
# 1, rates 1, 2, 4 and 8, equally likely since frame numbers wrap around the video's end, varied by up to a fifth. No
# label is read. All of this, and the share of the frame that a crop takes, stand in the public code's settings; it
# never reads the share (advise_clip_b16_ucf101_public.py is what it does). There is no flip in either.
data_root = 'data/ucf101/'
playback = dict(
    type='PlaybackRate', num_views=4, clip_len=8, frame_interval=2, rates=(1, 2, 4, 8), jitter=.2, wrap=True)
train_pipeline = [
    dict(type='OpenVideo'),
    playback,
    dict(type='DecodeViews'),
    dict(type='CropViews', size=224, area=(.76, 1.), flip_prob=0.),
    dict(type='PackViews', label='playback_rate'),
]
# A clip of each rate, from the video's middle.
val_pipeline = [
    dict(type='OpenVideo'),
    dict(playback, test_mode=True),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=224, short_side=256, test_mode=True),
    dict(type='PackViews', label='playback_rate'),
]
train_dataloader = dict(
    batch_size=8,  # the most videos a GPU takes at once; the loop divides the global batch (see train_cfg)
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='EpochSampler', shuffle=True),
    dataset=dict(
        type='VideoFolder',
        root=data_root + 'videos',
        ann_file=data_root + 'ucf101_train_split_1_videos.txt',
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=16,
    num_workers=8,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VideoFolder',
        root=data_root + 'videos',
        ann_file=data_root + 'ucf101_val_split_1_videos.txt',
        test_mode=True,
        pipeline=val_pipeline))
val_evaluator = dict(type='PlaybackRateMetric', names=('1x', '2x', '4x', '8x'))
val_cfg = dict(type='ValLoop')
test_dataloader = val_dataloader
test_evaluator = val_evaluator
test_cfg = dict(type='TestLoop')
