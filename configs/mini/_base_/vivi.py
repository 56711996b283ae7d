# VIVI at a size that two CPU cores train in minutes. What differs from the paper in everything under configs/mini: a
# ResNet v2 of one block a stage, a quarter as wide, crops of 48 pixels, 64 shots a step of 4 frames each, every frame
# of the video, crops of .4 to 1 of the frame, no flip, AdamW for 500 steps. The margin is configs/vivi's, and lambda
# where a config says nothing.
# The features of 8 frames are averaged; the clips are those of the other methods' mini configs.
_base_ = ['../../_base_/default_runtime.py', '../../vivi/_base_/model.py', './evaluation48.py']

model = dict(
    backbone=dict(layers=(1, 1, 1, 1), channels=(64, 128, 256, 512), stem_chs=32, output_stride=16),
    feature_dim=512,
    shot_loss=dict(embed_dim=128))

train_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleShots', num_shots=4, shot_len=4),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=48, area=(.4, 1.), flip_prob=0.),
    dict(type='PackViews'),
]
train_dataloader = dict(
    batch_size=16,  # the most videos a process takes at once; two processes take 8 each
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='EpochSampler', shuffle=True, steps=10),
    dataset=dict(type='ShotFolder', num_shots=4, min_length=4, pipeline=train_pipeline))

train_cfg = dict(type='GlobalBatchTrainLoop', max_epochs=50, global_batch=16, val_interval=50)
val_cfg = dict(type='ValLoop')
val_evaluator = dict(type='KNNMetric', k=20, temperature=.07)

optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=2e-3, weight_decay=.05))
param_scheduler = [
    dict(type='LinearLR', start_factor=.04, by_epoch=True, begin=0, end=1, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0, by_epoch=True, begin=1, end=train_cfg["max_epochs"],
         convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=16)

sync_bn = None  # plain BN on any device
_base_.custom_hooks[0].bn_videos = None  # the paper does not say what BN sees
