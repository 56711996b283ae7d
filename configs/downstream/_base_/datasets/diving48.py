# Diving48 (V2's labels), laid out and listed as MMAction2's tools/data/diving48 does.
_base_ = './segment_views.py'
data_root = 'data/diving48/'
train_split = dict(root=data_root + 'videos', ann_file=data_root + 'diving48_train_list_videos.txt')
test_split = dict(root=data_root + 'videos', ann_file=data_root + 'diving48_val_list_videos.txt')
train_dataloader = dict(dataset=train_split)
val_dataloader = dict(dataset=test_split)
test_dataloader = dict(dataset=test_split)
