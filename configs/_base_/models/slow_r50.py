# What the pre-training methods share: the paper's Slow network (8 time steps in, 8 out) and colours and blur.
model = dict(
    backbone=dict(type='SlowResNet', depth=50),  # at this depth MMAction2's ResNet3dSlowOnly, same names of weights
    feature_dim=2048,
    data_preprocessor=dict(
        type='ViewPreprocessor',
        color_jitter=dict(brightness=.2, contrast=.2, saturation=.2, hue=.05),
        color_prob=.8,
        gray_prob=.2,
        blur_prob=.5,
        blur_sigma=(.1, 2.)))
