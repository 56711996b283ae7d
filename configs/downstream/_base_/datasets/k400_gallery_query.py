# Kinetics-400: validation videos look for their class among the training videos.
_base_ = './one_clip.py'
data_root = 'data/kinetics400/'
gallery, query = _base_.test_dataloader.dataset.datasets
gallery.update(root=data_root + 'videos_train', ann_file=data_root + 'kinetics400_train_list_videos.txt')
query.update(root=data_root + 'videos_val', ann_file=data_root + 'kinetics400_val_list_videos.txt')
del gallery, query
