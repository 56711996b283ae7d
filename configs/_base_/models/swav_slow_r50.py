# rho-SwAV (large-scale study, B.1): BN in the projector. The study says that it follows SwAV, whose 3000 prototypes
# these are; its Table 16 counts 40.4 M parameters, which fits 1000 (40.42 M; 3000: 40.68 M), as PySlowFast has.
_base_ = './slow_r50.py'
model = dict(
    type='VideoSwAV',
    projector=dict(hidden_dim=2048, out_dim=128, num_layers=3),
    num_prototypes=3000,
    temperature=.1,
    epsilon=.05,
    iterations=3)
