# What the features of a mini network are compared on: one clip from the middle of a video, 8 frames of 48 pixels, every
# second of 16.
val_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleViews', num_views=1, clip_len=8, frame_interval=2, test_mode=True),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=48, short_side=48, test_mode=True),
    dict(type='PackViews'),
]
val_dataloader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False))
