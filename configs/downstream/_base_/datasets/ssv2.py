# Something-Something V2, laid out and listed as MMAction2's tools/data/sthv2 does.
_base_ = './segment_views.py'
data_root = 'data/sthv2/'
train_split = dict(root=data_root + 'videos', ann_file=data_root + 'sthv2_train_list_videos.txt')
test_split = dict(root=data_root + 'videos', ann_file=data_root + 'sthv2_val_list_videos.txt')
train_dataloader = dict(dataset=train_split)
val_dataloader = dict(dataset=test_split)
test_dataloader = dict(dataset=test_split)
