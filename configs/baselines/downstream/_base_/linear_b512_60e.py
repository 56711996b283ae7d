# Kinetics (large-scale study, B.2): learning rate 4.0 after 8 epochs of warm-up, half cosine, no weight decay, 512
# videos a step, 60 epochs (100 gain .2 points, it says). Nesterov, and that the warm-up ends on the cosine, are
# PySlowFast's.
_base_ = '../../../downstream/_base_/schedules/linear_b64_100e.py'
batch = 512
train_cfg = dict(max_epochs=60, global_batch=batch)
optim_wrapper = dict(optimizer=dict(lr=4., nesterov=True))
param_scheduler = [dict(type='WarmupCosineLR', start_factor=0., warmup=8, by_epoch=True, end=60,
                        convert_to_iter_based=True)]
auto_scale_lr = dict(base_batch_size=batch)
