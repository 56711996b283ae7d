# UCF101, split 1: test videos look for their class among the training videos.
_base_ = './one_clip.py'
data_root = 'data/ucf101/'
gallery, query = _base_.test_dataloader.dataset.datasets
gallery.update(root=data_root + 'videos', ann_file=data_root + 'ucf101_train_split_1_videos.txt')
query.update(root=data_root + 'videos', ann_file=data_root + 'ucf101_val_split_1_videos.txt')
del gallery, query
