# rho-SimCLR at iBoot's budget: all but the method is iboot_r18_digits.py's, see byol_r18_digits.py.
# Our choice: hidden layers of 512 (the study: 2048).
_base_ = './iboot_r18_digits.py'
_base_.train_pipeline[1].num_views = 2
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
model = dict(
    _delete_=True,
    type='VideoSimCLR',
    backbone=_base_.model.backbone,
    feature_dim=_base_.model.feature_dim,
    projector=dict(hidden_dim=512),
    data_preprocessor=_base_.model.data_preprocessor)
