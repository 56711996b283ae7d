# rho-BYOL at iBoot's budget: all but the method is iboot_r18_digits.py's, network, videos, augmentation, optimizer,
# batch and number of steps. There is no teacher, and the views are rho = 2 clips that are compared with each other.
# Our choices, for a few hundred steps of a small network: narrow heads (the study: 4096 and 256), and a momentum from
# .99 (the study: .996, from which the copy would still be two fifths its own random start after these 440 steps).
_base_ = './iboot_r18_digits.py'
_base_.train_pipeline[1].num_views = 2
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
model = dict(
    _delete_=True,
    type='VideoBYOL',
    backbone=_base_.model.backbone,
    feature_dim=_base_.model.feature_dim,
    projector=dict(hidden_dim=512, out_dim=128),
    predictor=dict(hidden_dim=512),
    momentum=dict(base=.99),
    data_preprocessor=_base_.model.data_preprocessor)
custom_hooks = [*_base_.custom_hooks, dict(type='MomentumUpdateHook')]
