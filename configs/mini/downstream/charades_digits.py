"""Many labels per video at mini size: which digits a scene shows, and how they move; 3 clips of a test video."""
_base_ = './_base_/scenes.py'
model = dict(
    type='Recognizer3D',
    cls_head=dict(type='MultiLabelHead', in_channels=128, num_classes=_base_.num_classes, dropout_ratio=0.))
train_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleViews', num_views=1, **_base_.clip),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=80, short_side=(80, 88), flip_prob=0.),
    dict(type='PackActivities', num_classes=_base_.num_classes),
]
test_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleViews', num_views=3, test_mode=True, **_base_.clip),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=80, short_side=80, test_mode=True),
    dict(type='PackActivities', num_classes=_base_.num_classes, test_mode=True),
]
split = dict(type='ActivityVideos', root=_base_.data_root + 'videos', num_classes=_base_.num_classes)
test_split = dict(ann_file=_base_.data_root + 'test_activities.csv', pipeline=test_pipeline, **split)
train_dataloader = dict(
    dataset=dict(ann_file=_base_.data_root + 'train_activities.csv', pipeline=train_pipeline, **split))
val_dataloader = dict(dataset=test_split)
test_dataloader = dict(dataset=test_split)
val_evaluator = dict(metric_list='mean_average_precision')
test_evaluator = val_evaluator
train_cfg = dict(max_epochs=8, val_interval=8)
param_scheduler = [
    dict(type='LinearLR', start_factor=.01, by_epoch=True, begin=0, end=1, convert_to_iter_based=True),
    dict(type='MultiStepLR', by_epoch=True, milestones=[6], gamma=.1),
]
