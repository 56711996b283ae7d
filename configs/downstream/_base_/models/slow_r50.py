# The paper's Slow R50 with MMAction2's linear head on features averaged over time and space.
model = dict(
    type='Recognizer3D',
    backbone=dict(type='SlowResNet', depth=50),
    # A test averages the softmax over its views.
    cls_head=dict(type='I3DHead', in_channels=2048, num_classes=400, dropout_ratio=.5, average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW'))
