# 120k steps of videos x shots = 2048, SGD with momentum .9 and a learning rate of .8, a tenth of it after 90k and 110k
# (section 4); an epoch is 1000 steps. The text at hand names no weight decay (**our choice**: 1e-4) and no warm-up.
batch = 512  # videos of 4 shots
train_cfg = dict(type='GlobalBatchTrainLoop', max_epochs=120, global_batch=batch)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=.8, momentum=.9, weight_decay=1e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[90, 110], gamma=.1, by_epoch=True)]
# Only `--auto-scale-lr` scales the learning rate, and then the batch is what fits, not `global_batch`.
auto_scale_lr = dict(enable=False, base_batch_size=batch)
