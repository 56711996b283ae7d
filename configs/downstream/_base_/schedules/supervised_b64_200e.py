# Training from scratch on labels, see ../../supervised_k400.py.
batch = 64
train_cfg = dict(type='GlobalBatchTrainLoop', max_epochs=200, global_batch=batch, val_interval=10)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=.1, momentum=.9, weight_decay=1e-4, nesterov=True),
    paramwise_cfg=dict(norm_decay_mult=0.))
param_scheduler = [dict(type='WarmupCosineLR', start_factor=.1, warmup=34, by_epoch=True, end=200,
                        convert_to_iter_based=True)]
auto_scale_lr = dict(enable=False, base_batch_size=batch)
