# AdViSe at a size that two CPU cores train in minutes. What differs from the paper in everything under configs/mini: a
# bottleneck with time in its middle, which the model card measured, since the published kernel 1 is blind to the order
# of frames and so to motion; small image models, 64 channels in the temporal module and 128 in its head, every frame of
# 8 at rate 1 and rates up to 4, since the videos are short (and no jitter, which at a step of one frame could only
# stretch; no clip wraps around a video's end), no label smoothing, three times the learning rate for the few steps, and
# one clip of each rate from a video: with 4 independent ones a run takes several times as many steps to leave chance
# (model_cards/advise_mini.md).
_base_ = ['../../_base_/default_runtime.py', '../../_base_/models/advise_tmm.py', './evaluation48.py']

rates = ('1x', '2x', '4x')
model = dict(
    backbone=dict(temporal=dict(type='bottleneck', hidden=64, kernel=3), out_channels=128),
    cls_head=dict(in_channels=128, hidden=128, num_classes=len(rates), label_smooth_eps=0.))

playback = dict(
    type='PlaybackRate', num_views=len(rates), clip_len=8, frame_interval=1, rates=(1, 2, 4), jitter=0., distinct=True)
train_pipeline = [
    dict(type='OpenVideo'),
    playback,
    dict(type='DecodeViews'),
    dict(type='CropViews', size=48, area=(.76, 1.), flip_prob=0.),
    dict(type='PackViews', label='playback_rate'),
]
val_pipeline = [
    dict(type='OpenVideo'),
    dict(playback, test_mode=True),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=48, short_side=48, test_mode=True),
    dict(type='PackViews', label='playback_rate'),
]
train_dataloader = dict(
    batch_size=16,  # the most videos a process takes at once; two processes take 8 each
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='EpochSampler', shuffle=True),
    dataset=dict(type='VideoFolder', pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(type='VideoFolder', test_mode=True, pipeline=val_pipeline))
val_cfg = dict(type='ValLoop')
val_evaluator = dict(type='PlaybackRateMetric', names=rates)
test_dataloader = dict(_base_.val_dataloader, **val_dataloader)
test_cfg = dict(type='TestLoop')
test_evaluator = val_evaluator

# tools/analysis/knn_table.py compares frozen features of these clips, the same as for the other methods.
knn_pipeline = _base_.val_pipeline
knn_dataloader = dict(
    batch_size=32,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False))
knn_evaluator = dict(type='KNNMetric', k=20, temperature=.07)

train_cfg = dict(type='GlobalBatchTrainLoop', max_epochs=20, global_batch=16, val_interval=4)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=3e-3, weight_decay=1e-6))
param_scheduler = [
    dict(type='LinearLR', start_factor=.04, by_epoch=True, begin=0, end=1, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0, by_epoch=True, begin=1, end=train_cfg["max_epochs"],
         convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=16)

sync_bn = None  # plain BN on any device
_base_.custom_hooks[0].bn_videos = None  # the paper does not say what BN sees
_base_.custom_hooks += [dict(type='ClassCountHook'), dict(type='TokenCheckHook')]
