# Features after a ReLU are non-negative and share a mean direction; target_norm='standardize' takes it out.
teacher = dict(
    type='MMPretrainTeacher',
    model=dict(type='ResNet', depth=50, base_channels=128, stem_channels=128),
    checkpoint='https://dl.fbaipublicfiles.com/deepcluster/swav_RN50w2_400ep_pretrain.pth.tar',
    name='swav_r50w2',
)
