# AVA v2.2, as tools/data/prepare.py ava lays it out. Clips of 8 frames, every 8th on a clock of 30 Hz, around each key
# frame; training crops as in dense_views.py, the test shows whole pictures (large-scale study, B.3).
#
# Movies cut to their middle quarter of an hour, as MMAction2's and PySlowFast's tools leave them: start=900 of each
# data set. Movies as folders of frames: decoder='frames', fps=30 of each OpenVideo. docs/ava_charades.md has both.
_base_ = './loaders.py'
data_root = 'data/ava/'
clip = dict(clip_len=8, frame_interval=8, target_fps=30)
train_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleKeyFrame', **clip),
    dict(type='DecodeViews'),
    dict(type='CropViews', size=224, short_side=(256, 320), flip_prob=.5),
    dict(type='CropBoxes'),
    dict(type='PackKeyFrame'),
]
test_pipeline = [
    dict(type='OpenVideo'),
    dict(type='SampleKeyFrame', test_mode=True, **clip),
    dict(type='DecodeViews'),
    dict(type='ScaleViews', short_side=256),
    dict(type='PackKeyFrame'),
]
train_dataloader = dict(dataset=dict(
    type='KeyFrames',
    root=data_root + 'videos',
    ann_file=data_root + 'ava_train_v2.2.csv',
    exclude_file=data_root + 'ava_train_excluded_timestamps_v2.2.csv',
    pipeline=train_pipeline))
test_split = dict(
    type='KeyFrames',
    root=data_root + 'videos',
    ann_file=data_root + 'ava_val_v2.2.csv',
    exclude_file=data_root + 'ava_val_excluded_timestamps_v2.2.csv',
    proposal_file=data_root + 'ava_detection_val_boxes_and_labels.csv',  # or MMAction2's ava_dense_proposals_val...pkl
    confidence=.8,
    pipeline=test_pipeline)
# One at a time, since pictures of another size beside one are filled up, which its borders see.
val_dataloader = dict(batch_size=1, dataset=test_split)
test_dataloader = dict(batch_size=1, dataset=test_split)
val_evaluator = dict(
    _delete_=True,
    type='ActionDetectionMetric',
    ann_file=data_root + 'ava_val_v2.2.csv',
    exclude_file=data_root + 'ava_val_excluded_timestamps_v2.2.csv',
    class_file=data_root + 'ava_action_list_v2.2_for_activitynet_2019.pbtxt')
test_evaluator = val_evaluator
