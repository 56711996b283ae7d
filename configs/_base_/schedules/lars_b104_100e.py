# The paper's ablations: half the epochs and a quarter of the batch, on 8 GPUs.
_base_ = './lars_b416_100e.py'
batch = 104
train_cfg = dict(global_batch=batch)
optim_wrapper = dict(optimizer=dict(lr=2.4 * batch / 256))
auto_scale_lr = dict(base_batch_size=batch)
