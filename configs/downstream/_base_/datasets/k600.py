# Kinetics-600, laid out and listed as MMAction2's tools/data/kinetics does.
_base_ = './dense_views.py'
data_root = 'data/kinetics600/'
train_split = dict(root=data_root + 'videos_train', ann_file=data_root + 'kinetics600_train_list_videos.txt')
test_split = dict(root=data_root + 'videos_val', ann_file=data_root + 'kinetics600_val_list_videos.txt')
train_dataloader = dict(dataset=train_split)
val_dataloader = dict(dataset=test_split)
test_dataloader = dict(dataset=test_split)
