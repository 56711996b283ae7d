# The study's schedule for MoCo (B.1): SGD without LARS. Nesterov, and BN free of weight decay, are PySlowFast's; the
# study does not say.
_base_ = './lars_b512_200e.py'
optim_wrapper = dict(
    constructor='OnlineNetworkConstructor',
    optimizer=dict(_delete_=True, type='SGD', lr=.4, momentum=.9, weight_decay=1e-4, nesterov=True),
    paramwise_cfg=dict(norm_decay_mult=0.))
