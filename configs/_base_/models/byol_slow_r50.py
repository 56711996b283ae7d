# rho-BYOL (large-scale study, B.1). The predictor is as wide at both ends as the projector's output; BN in both.
_base_ = './slow_r50.py'
model = dict(
    type='VideoBYOL',
    projector=dict(hidden_dim=4096, out_dim=256, num_layers=2),
    predictor=dict(hidden_dim=4096, num_layers=2),
    momentum=dict(base=.996))  # rises to 1 along a half cosine
