# Clips of 8 frames of 48 pixels, every second of 16, as everything of the mini network (Slow R18) takes them.
_base_ = './evaluation48.py'

clip = dict(clip_len=8, frame_interval=2)
train_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleViews', num_views=3, **clip),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=48, short_side=(50, 58), flip_prob=0.),
    dict(type='PackViews'),
]
train_dataloader = dict(
    batch_size=32,  # the most videos a process takes at once; two processes take 16 each
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='EpochSampler', shuffle=True),
    dataset=dict(type='VideoFolder', pipeline=train_pipeline))
