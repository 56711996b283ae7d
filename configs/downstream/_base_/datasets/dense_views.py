# Clips of 8 frames, every 8th, as in pre-training but without colours and blur ([19], Feichtenhofer et al., 2021, B.2):
# short side uniform in [256, 320], 224 x 224, flip. Frames are counted as each video has them; `target_fps=30` in
# SampleViews is the clock of the paper's framework.
_base_ = './loaders.py'
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
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
