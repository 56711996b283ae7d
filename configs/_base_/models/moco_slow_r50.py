# rho-MoCo (large-scale study, B.1): BN within a GPU, none in the projector, keys computed on shuffled GPUs.
_base_ = './slow_r50.py'
model = dict(
    type='VideoMoCo',
    projector=dict(hidden_dim=2048, out_dim=128, num_layers=3, norm=False),
    momentum=dict(base=.994),  # rises to 1 along a half cosine
    queue_size=65536,
    temperature=.1)
