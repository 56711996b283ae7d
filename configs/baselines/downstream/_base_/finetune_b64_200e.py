# UCF101 and HMDB51 (large-scale study, B.6 and B.7): learning rate .025, a tenth at epochs 60, 120 and 180, no weight
# decay, 64 videos a step, 200 epochs. Momentum .9 with Nesterov is PySlowFast's; the study does not say.
_base_ = '../../../downstream/_base_/schedules/finetune_b128_196e.py'
batch = 64
train_cfg = dict(max_epochs=200, global_batch=batch, val_interval=20)
optim_wrapper = dict(optimizer=dict(lr=.025, nesterov=True))
auto_scale_lr = dict(base_batch_size=batch)
