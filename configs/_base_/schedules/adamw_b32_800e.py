# AdViSe on UCF101: 800 epochs, AdamW with a peak of 1e-3 x batch / 64, weight decay 1e-6, 5 epochs of warm-up from 0,
# cosine to 0. The text has lost its numbers; these are the public code's, with 4 GPUs x 8 videos. mmengine's warm-up
# cannot start at 0: a thousandth of the peak.
batch = 32
train_cfg = dict(type='GlobalBatchTrainLoop', max_epochs=800, global_batch=batch, val_interval=40)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-3 * batch / 64, weight_decay=1e-6))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0, by_epoch=True, begin=5, end=800, convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=batch)
