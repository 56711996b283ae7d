# Clips of 8 frames, every 8th, as in pre-training but without colours and blur ([19], Feichtenhofer et al., 2021, B.2):
# short side uniform in [256, 320], 224 x 224, flip. Frames are counted as each video has them; `target_fps=30` in
# SampleViews is the clock of the paper's framework.
clip = dict(clip_len=8, frame_interval=8)
train_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleViews', num_views=1, **clip),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=224, short_side=(256, 320), flip_prob=.5),
    dict(type='PackViews'),
]
# During training one clip from the middle tells how it goes.
val_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleViews', num_views=1, test_mode=True, **clip),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=256, short_side=256, test_mode=True),
    dict(type='PackViews'),
]
# The test: 10 clips from end to end, 3 squares of 256 along the long side each ([19], B.2).
test_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleViews', num_views=10, test_mode=True, **clip),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=256, short_side=256, test_mode=True, crops=3),
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
    dataset=dict(type='VideoFolder', test_mode=True, pipeline=val_pipeline))
test_dataloader = dict(
    batch_size=1,  # of 30 views
    num_workers=8,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='VideoFolder', test_mode=True, pipeline=test_pipeline))
val_evaluator = dict(type='ReadableAccMetric')
test_evaluator = val_evaluator
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
