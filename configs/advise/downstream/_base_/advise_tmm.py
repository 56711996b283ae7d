# Fine-tuning of AdViSe: the image model stays frozen, the temporal module goes on from `load_from` (without it: from
# scratch), the head is new. Optimizer, schedule and batch follow pre-training, as the paper says; the text has lost
# epochs, learning rate and weight decay, so these are **our choices**: 100 epochs, 1e-3 x batch / 64, weight decay .01,
# dropout .5. Validation and test show squares of 224 of a short side of 256: things as large as in training, and no
# pixel more than the image model takes.
model = dict(
    type='Recognizer3D',
    backbone=dict(type='ImageTMM', temporal=dict(type='r3d', hidden=256, blocks=1, kernel=1), out_channels=1024),
    cls_head=dict(type='MLPHead', in_channels=1024, dropout_ratio=.5, average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW'))
batch = 32
train_cfg = dict(type='GlobalBatchTrainLoop', max_epochs=100, global_batch=batch, val_interval=10)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-3 * batch / 64, weight_decay=.01))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0, by_epoch=True, begin=5, end=100, convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=batch)
