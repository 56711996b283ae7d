# rho-SimCLR (large-scale study, B.1): BN in the projector.
_base_ = './slow_r50.py'
model = dict(
    type='VideoSimCLR',
    projector=dict(hidden_dim=2048, out_dim=128, num_layers=3),
    temperature=.1)
