# rho-SwAV at iBoot's budget: all but the method is iboot_r18_digits.py's, see byol_r18_digits.py.
# Our choices: hidden layers of 512 (the study: 2048) and 64 prototypes (SwAV: 3000), two for each video of a batch.
_base_ = './iboot_r18_digits.py'
_base_.train_pipeline[1].num_views = 2
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
model = dict(
    _delete_=True,
    type='VideoSwAV',
    backbone=_base_.model.backbone,
    feature_dim=_base_.model.feature_dim,
    projector=dict(hidden_dim=512),
    num_prototypes=64,
    data_preprocessor=_base_.model.data_preprocessor)
custom_hooks = [*_base_.custom_hooks, dict(type='FreezePrototypesHook')]
