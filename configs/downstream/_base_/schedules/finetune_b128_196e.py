# UCF101 and HMDB51: SGD with momentum .9, learning rate .0025, 128 videos a step, 196 epochs (paper, section 4.2).
# The paper calls .0025 "initial" and says no more: the steps by ten at epochs 60, 120 and 180 and no weight decay are
# [19]'s (Feichtenhofer et al., 2021, B.6), which trains for 200.
batch = 128
train_cfg = dict(type='GlobalBatchTrainLoop', max_epochs=196, global_batch=batch, val_interval=14)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=.0025, momentum=.9, weight_decay=0.))
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[60, 120, 180], gamma=.1)]
auto_scale_lr = dict(enable=False, base_batch_size=batch)
