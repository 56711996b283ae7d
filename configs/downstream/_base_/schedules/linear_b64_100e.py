# The linear classifier: SGD with momentum .9, learning rate from 0 to 1.0 over 8 epochs, then cosine to 0, 64 videos a
# step, 100 epochs (paper, section 4.2); no weight decay ([19], Feichtenhofer et al., 2021, B.2).
batch = 64
train_cfg = dict(type='GlobalBatchTrainLoop', max_epochs=100, global_batch=batch, val_interval=10)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1., momentum=.9, weight_decay=0.))
param_scheduler = [
    # From 0 as nearly as mmengine, which multiplies, can.
    dict(type='LinearLR', start_factor=1e-6, by_epoch=True, begin=0, end=8, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0, by_epoch=True, begin=8, end=100, convert_to_iter_based=True),
]
auto_scale_lr = dict(enable=False, base_batch_size=batch)
