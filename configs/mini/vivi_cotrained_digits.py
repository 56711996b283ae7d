# vivi_ex4_digits.py, co-trained with a class-balanced tenth of labelled still digits (tools/data/make_still_digits.py),
# 14 of each, of the scans that are in the training videos. `tools/test.py` prints the classifier's accuracy on stills
# of other scans; k-NN is on the moving digits.
_base_ = './vivi_ex4_digits.py'

model = dict(
    type='CoTrainedVIVI',
    backbone=dict(channels=(128, 256, 384, 512), norm='gn'),  # widths that 32 groups can share
    num_classes=10,
    image_weight=1.)

still_root = 'data/still_digits/'
train_dataloader = dict(sampler=dict(multiple_of=16))
train_cfg = dict(
    _delete_=True,
    type='MultiLoaderEpochBasedTrainLoop',
    max_epochs=_base_.train_cfg.max_epochs,
    val_interval=_base_.train_cfg.val_interval,
    other_loaders=[
        dict(
            batch_size=32,
            num_workers=1,
            persistent_workers=True,
            sampler=dict(type='EndlessSampler'),
            dataset=dict(
                type='LabelledImages',
                root=still_root + 'train',
                num_classes=10,
                share=.1,
                pipeline=[
                    dict(type='OpenVideo', decoder='picture'),
                    dict(type='SampleViews', num_views=1, clip_len=1),
                    dict(type='DecodeViews'),
                    dict(type='CropViews', size=48, area=(.4, 1.), flip_prob=0.),
                    dict(type='PackViews'),
                ]))
    ])
test_dataloader = dict(
    _delete_=True,
    batch_size=32,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='LabelledImages',
        root=still_root + 'test',
        num_classes=10,
        test_mode=True,
        pipeline=[
            dict(type='OpenVideo', decoder='picture'),
            dict(type='SampleViews', num_views=1, clip_len=1, test_mode=True),
            dict(type='DecodeViews'),
            dict(type='CropViews', size=48, short_side=48, test_mode=True),
            dict(type='PackViews'),
        ]))
test_evaluator = dict(_delete_=True, type='ReadableAccMetric')
