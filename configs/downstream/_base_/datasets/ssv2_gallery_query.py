# Something-Something v2: validation videos look for their class among the training videos.
# Many are shorter than the 64 frames of an 8x8 clip, hence the middle frames of 8 equal segments; our choice.
_base_ = './one_clip.py'
data_root = 'data/sthv2/'
gallery, query = _base_.test_dataloader.dataset.datasets
gallery.update(root=data_root + 'videos', ann_file=data_root + 'sthv2_train_list_videos.txt')
query.update(root=data_root + 'videos', ann_file=data_root + 'sthv2_val_list_videos.txt')
gallery.pipeline[1].sampling = query.pipeline[1].sampling = 'segments'
del gallery, query
