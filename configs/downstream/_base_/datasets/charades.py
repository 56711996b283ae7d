# Charades, as tools/data/prepare.py charades lays it out: clips of 16 frames, every 8th (large-scale study, B.4).
_base_ = './dense_views.py'
data_root = 'data/charades/'
train_split = dict(type='ActivityVideos', root=data_root + 'videos', ann_file=data_root + 'Charades_v1_train.csv')
test_split = dict(type='ActivityVideos', root=data_root + 'videos', ann_file=data_root + 'Charades_v1_test.csv')
train_dataloader = dict(dataset=train_split)
val_dataloader = dict(dataset=test_split)
test_dataloader = dict(dataset=test_split)
for loader in (_base_.train_dataloader, _base_.val_dataloader, _base_.test_dataloader):
    loader.dataset.pipeline[1].clip_len = 16
    loader.dataset.pipeline[4] = dict(type='PackActivities', test_mode=loader is not _base_.train_dataloader)
del loader
val_evaluator = dict(metric_list='mean_average_precision')
test_evaluator = val_evaluator
