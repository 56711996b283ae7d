# The large-scale study (B.1): 200 epochs, 512 videos a step, LARS, a half cosine from the first step to 0, no warm-up.
# iBoot's 2.4 x batch / 256 is the same learning rate. Nesterov is PySlowFast's default; the study does not say.
batch = 512
train_cfg = dict(type='GlobalBatchTrainLoop', max_epochs=200, global_batch=batch, val_interval=20)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='LARS', lr=4.8, momentum=.9, weight_decay=1e-6, trust=1e-3, nesterov=True))
param_scheduler = [dict(type='CosineAnnealingLR', eta_min=0, by_epoch=True, begin=0, end=200,
                        convert_to_iter_based=True)]
# Only `--auto-scale-lr` scales the learning rate, and then the batch is what fits, not `global_batch`.
auto_scale_lr = dict(enable=False, base_batch_size=batch)
