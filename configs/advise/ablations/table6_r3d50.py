"""Table 6 and Figure 1: R3D-50 from random weights on the same pretext, all of it trained (31.8 M in the paper).

Settings are the public code's for it: 200 epochs of SGD, .04 x batch / 64, weight decay 5e-4, every frame at rate 1, a
head of 4096 with BN and dropout .2, crops as in _base_/public.py. Cross entropy, as for AdViSe, where that code has a
binary one for each class; BN over all GPUs as there.
"""
_base_ = [
    '../../_base_/models/advise_tmm.py',
    '../../_base_/datasets/ucf101_rates.py',
    '../../_base_/schedules/adamw_b32_200e.py',
    '../_base_/runtime.py',
    '../_base_/public.py',
]
_base_.train_pipeline[1].frame_interval = _base_.val_pipeline[1].frame_interval = 1
_base_.train_pipeline[3] = _base_.public_crop
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = val_dataloader
model = dict(
    backbone=dict(_delete_=True, type='SlowResNet', depth=50),
    cls_head=dict(in_channels=2048, hidden=4096, batch_norm=True, dropout_ratio=.2, label_smooth_eps=0.),
    data_preprocessor=dict(color_jitter=dict(hue=0.), gray_prob=0.))
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='SGD', lr=4e-2 * _base_.batch / 64, momentum=.9, weight_decay=5e-4))
_base_.param_scheduler[0].update(start_factor=.025, end=10)
_base_.param_scheduler[1].begin = 10
