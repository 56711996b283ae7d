# rho-MoCo at iBoot's budget: all but the method is iboot_r18_digits.py's, see byol_r18_digits.py.
# Our choices: hidden layers of 512 (the study: 2048), a momentum from .99 (.994), and a queue of 1024 keys (65536):
# those of the last 16 steps, so that within an epoch no negative is a clip of the query's own video.
_base_ = './iboot_r18_digits.py'
_base_.train_pipeline[1].num_views = 2
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
model = dict(
    _delete_=True,
    type='VideoMoCo',
    backbone=_base_.model.backbone,
    feature_dim=_base_.model.feature_dim,
    projector=dict(hidden_dim=512),
    momentum=dict(base=.99),
    queue_size=1024,
    data_preprocessor=_base_.model.data_preprocessor)
custom_hooks = [*_base_.custom_hooks, dict(type='MomentumUpdateHook')]
