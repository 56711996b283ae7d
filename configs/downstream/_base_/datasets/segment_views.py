# A clip takes one frame of each of 8 equal parts of the video: a random one in training, the middle one in the test
# ([19], Feichtenhofer et al., 2021, B.5). No flip: "left to right" is a class of its own.
_base_ = './loaders.py'
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
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(batch_size=16, persistent_workers=True, dataset=dict(pipeline=test_pipeline))
