"""Action detection at mini size: which digits, and how they move, in given boxes of scenes."""
_base_ = './_base_/scenes.py'
model = dict(
    type='ActionDetector',
    cls_head=dict(type='BoxActionHead', in_channels=128, num_classes=_base_.num_classes, dropout_ratio=0.))
train_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleKeyFrame', **_base_.clip),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=64, short_side=(76, 88), flip_prob=0.),
    dict(type='CropBoxes'),
    dict(type='PackKeyFrame'),
]
test_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleKeyFrame', test_mode=True, **_base_.clip),
    dict(type='DecodeViews'),
    dict(type='ScaleViews', short_side=80),
    dict(type='PackKeyFrame'),
]
split = dict(type='KeyFrames', root=_base_.data_root + 'videos', num_classes=_base_.num_classes)
test_split = dict(
    ann_file=_base_.data_root + 'val.csv',
    exclude_file=_base_.data_root + 'excluded_val.csv',
    proposal_file=_base_.data_root + 'persons_val.csv',
    pipeline=test_pipeline,
    **split)
train_dataloader = dict(dataset=dict(ann_file=_base_.data_root + 'train.csv', pipeline=train_pipeline, **split))
val_dataloader = dict(dataset=test_split)
test_dataloader = dict(dataset=test_split)
val_evaluator = dict(
    _delete_=True,
    type='ActionDetectionMetric',
    ann_file=_base_.data_root + 'val.csv',
    class_file=_base_.data_root + 'classes.pbtxt',
    exclude_file=_base_.data_root + 'excluded_val.csv',
    num_classes=_base_.num_classes)
test_evaluator = val_evaluator
