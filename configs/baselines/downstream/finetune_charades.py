"""Charades, 157 labels, many per video, as in the large-scale study (B.4): mean average precision, 10 x 3 views.

60 epochs of 64 videos a step, 16 frames each, learning rate .2, a tenth at epochs 40 and 50, after 5 epochs of linear
warm-up, weight decay 1e-4, dropout .5; of the views' scores the largest counts. Figures of the study for each
checkpoint: ../README.md.
"""
_base_ = [
    '../../downstream/_base_/models/slow_r50.py',
    '../../downstream/_base_/datasets/charades.py',
    '../../downstream/_base_/schedules/finetune_b64_40e.py',
    '../../downstream/_base_/runtime.py',
]
model = dict(cls_head=dict(_delete_=True, type='MultiLabelHead', in_channels=2048, num_classes=157, dropout_ratio=.5))
train_cfg = dict(max_epochs=60, val_interval=6)
train_dataloader = dict(batch_size=8)  # clips are twice as long
# Nesterov, BN free of weight decay and where the warm-up starts are PySlowFast's.
optim_wrapper = dict(
    optimizer=dict(lr=.2, weight_decay=1e-4, nesterov=True), paramwise_cfg=dict(norm_decay_mult=0.))
param_scheduler = [
    dict(type='LinearLR', start_factor=.0005 / .2, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
    dict(type='MultiStepLR', by_epoch=True, milestones=[40, 50], gamma=.1),
]
