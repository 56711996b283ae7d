# Something-Something V2: SGD with momentum .9, weight decay 1e-4, learning rate from .08 to .15 over 3 epochs, then
# cosine to 0, 64 videos a step, 40 epochs (paper, section 4.2).
batch = 64
train_cfg = dict(type='GlobalBatchTrainLoop', max_epochs=40, global_batch=batch, val_interval=5)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=.15, momentum=.9, weight_decay=1e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=.08 / .15, by_epoch=True, begin=0, end=3, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0, by_epoch=True, begin=3, end=40, convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=batch)
