# UCF101, laid out and listed as MMAction2's tools/data/ucf101 does. Split 1 here.
_base_ = './dense_views.py'
data_root = 'data/ucf101/'
train_split = dict(root=data_root + 'videos', ann_file=data_root + 'ucf101_train_split_1_videos.txt')
test_split = dict(root=data_root + 'videos', ann_file=data_root + 'ucf101_val_split_1_videos.txt')
train_dataloader = dict(dataset=train_split)
val_dataloader = dict(dataset=test_split)
test_dataloader = dict(dataset=test_split)
