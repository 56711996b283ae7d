# ImageNet (ILSVRC2012) beside the videos: data/imagenet/train/SYNSET/*.JPEG and data/imagenet/val/SYNSET/*.JPEG, whose
# labels are their places in the order of the names, as in torchvision and MMPretrain. Crops as the frames' [58].
image_root = 'data/imagenet/'
image_loader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type='EndlessSampler'),
    dataset=dict(
        type='LabelledImages',
        root=image_root + 'train',
        num_classes=1000,
        pipeline=[
            dict(type='OpenVideo', decoder='picture'),
            dict(type='SampleViews', num_views=1, clip_len=1),
            dict(type='DecodeViews'),
            dict(type='CropViews', size=224, area=(.08, 1.), aspect=(3 / 4, 4 / 3), flip_prob=.5),
            dict(type='PackViews'),
        ]))
val_dataloader = dict(
    batch_size=64,
    num_workers=8,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='LabelledImages',
        root=image_root + 'val',
        num_classes=1000,
        test_mode=True,
        pipeline=[
            dict(type='OpenVideo', decoder='picture'),
            dict(type='SampleViews', num_views=1, clip_len=1, test_mode=True),
            dict(type='DecodeViews'),
            dict(type='CropViews', size=224, short_side=256, test_mode=True),
            dict(type='PackViews'),
        ]))
val_evaluator = dict(type='ReadableAccMetric')
val_cfg = dict(type='ValLoop')
test_dataloader = val_dataloader
test_evaluator = val_evaluator
test_cfg = dict(type='TestLoop')
