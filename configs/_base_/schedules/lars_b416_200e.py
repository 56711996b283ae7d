# The paper's headline: 200 epochs, 416 videos a step, LARS, 8 epochs of linear warm-up, then cosine to 0.
batch = 416
train_cfg = dict(type='GlobalBatchTrainLoop', max_epochs=200, global_batch=batch, val_interval=20)

optim_wrapper = dict(
    type='OptimWrapper',
    # Biases and normalisation are free of trust scaling and decay. Nesterov is PySlowFast's default, on which the
    # paper is built; the paper itself does not say.
    optimizer=dict(type='LARS', lr=2.4 * batch / 256, momentum=.9, weight_decay=1e-6, trust=1e-3, nesterov=True))
# The paper does not say where the warm-up starts: a thousandth of the peak here. Both act at every iteration.
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, by_epoch=True, begin=0, end=8, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0, by_epoch=True, begin=8, end=200, convert_to_iter_based=True),
]
# Only `--auto-scale-lr` scales the learning rate, and then the batch is what fits, not `global_batch`.
auto_scale_lr = dict(enable=False, base_batch_size=batch)
