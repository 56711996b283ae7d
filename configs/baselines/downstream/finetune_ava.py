"""Action detection on AVA v2.2 as in the large-scale study (B.3): mean average precision of 60 classes, one view.

32 epochs of 64 key frames a step, learning rate .3, a tenth at epochs 16, 24 and 28, after 5 epochs of linear warm-up,
weight decay 1e-7, dropout .5. From weights that were trained with labels the study takes .05:
--cfg-options optim_wrapper.optimizer.lr=.05. Figures of the study for each checkpoint: ../README.md.
"""
_base_ = [
    '../../downstream/_base_/models/slow_r50.py',
    '../../downstream/_base_/datasets/ava.py',
    '../../downstream/_base_/schedules/finetune_b64_40e.py',
    '../../downstream/_base_/runtime.py',
]
model = dict(
    type='ActionDetector',
    cls_head=dict(_delete_=True, type='BoxActionHead', in_channels=2048, num_classes=80, dropout_ratio=.5))
train_cfg = dict(max_epochs=32, val_interval=8)
# Nesterov, BN free of weight decay and where the warm-up starts are PySlowFast's.
optim_wrapper = dict(
    optimizer=dict(lr=.3, weight_decay=1e-7, nesterov=True), paramwise_cfg=dict(norm_decay_mult=0.))
param_scheduler = [
    dict(type='LinearLR', start_factor=.0005 / .3, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
    dict(type='MultiStepLR', by_epoch=True, milestones=[16, 24, 28], gamma=.1),
]
