# A clip takes one frame of each of 8 equal parts of the video: a random one in training, the middle one in the test
# ([19], Feichtenhofer et al., 2021, B.5). No flip: "left to right" is a class of its own.
train_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleViews', num_views=1, clip_len=8, sampling='segments'),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=224, short_side=(256, 320), flip_prob=0.),
    dict(type='PackViews'),
]
# 1 view: the square in the middle.
test_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleViews', num_views=1, clip_len=8, sampling='segments', test_mode=True),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=256, short_side=256, test_mode=True),
    dict(type='PackViews'),
]
train_dataloader = dict(
    batch_size=16,  # the most videos a GPU takes at once; the loop divides the global batch (see train_cfg)
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='EpochSampler', shuffle=True),
    dataset=dict(type='VideoFolder', pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=16,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='VideoFolder', test_mode=True, pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='ReadableAccMetric')
test_evaluator = val_evaluator
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
