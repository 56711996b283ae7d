# AdViSe (Wu et al., 2025): patch tokens of a frozen image model, a temporal module of one ResNet block with 256 hidden
# channels, a head of two layers; MMAction2's recognizer is the method. The image model comes from _base_/teachers/.
# `kernel` is the extent of the block's first convolution over time: 1 as published (the counts of Tables 2, 3 and 6 and
# the public code), with which frames meet in the pooling only, so that their order is lost; 3 as the text describes it.
rates = ('1x', '2x', '4x', '8x')
model = dict(
    type='Recognizer3D',
    backbone=dict(type='ImageTMM', temporal=dict(type='r3d', hidden=256, blocks=1, kernel=1), out_channels=1024),
    cls_head=dict(
        type='MLPHead',
        in_channels=1024,
        num_classes=len(rates),
        topk=(1, ),
        dropout_ratio=0.,  # the public code's
        label_smooth_eps=.05,
        average_clips='prob'),
    data_preprocessor=dict(
        type='ClipPreprocessor',
        color_jitter=dict(brightness=.2, contrast=.2, saturation=.2, hue=.1),
        color_prob=.8,
        gray_prob=.2,
        blur_prob=0.))
