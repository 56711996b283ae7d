# iBoot at a size that two CPU cores train in minutes. What differs from the paper in everything under configs/mini:
# a Slow R18 with a quarter of the channels, frames of 48 pixels, every second of 16, AdamW (LARS's trust ratio moves
# the weights too little in a few hundred steps), standardised targets, no flip and no blur, batches of 32 videos.
_base_ = ['../../_base_/default_runtime.py', './clips48.py']

model = dict(
    type='IBoot',
    backbone=dict(type='SlowResNet', depth=18, base_channels=16, norm_eval=False),
    feature_dim=128,
    temporal_pool=True,
    target_norm='standardize',  # 'none' is the paper's
    data_preprocessor=dict(
        type='ViewPreprocessor',
        color_jitter=dict(brightness=.4, contrast=.4, saturation=.4, hue=.1),
        color_prob=.8,
        gray_prob=.2,
        blur_prob=0.))

train_cfg = dict(type='GlobalBatchTrainLoop', max_epochs=10, global_batch=32, val_interval=2)
val_cfg = dict(type='ValLoop')
val_evaluator = dict(type='KNNMetric', k=20, temperature=.07)

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=.05))
param_scheduler = [
    dict(type='LinearLR', start_factor=.04, by_epoch=True, begin=0, end=1, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0, by_epoch=True, begin=1, end=train_cfg["max_epochs"],
         convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=32)

sync_bn = None  # plain BN on any device
