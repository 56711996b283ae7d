# Something-Something v2: validation videos look for their class among the training videos.
# Many are shorter than the 64 frames of an 8x8 clip, hence the middle frames of 8 equal segments; our choice.
_base_ = './one_clip.py'
_base_.gallery_pipeline[1].sampling = 'segments'
_base_.query_pipeline[1].sampling = 'segments'
data_root = 'data/sthv2/'
test_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(
                type='VideoFolder',
                root=data_root + 'videos',
                ann_file=data_root + 'sthv2_train_list_videos.txt',
                role='gallery',
                test_mode=True,
                pipeline=_base_.gallery_pipeline),
            dict(
                type='VideoFolder',
                root=data_root + 'videos',
                ann_file=data_root + 'sthv2_val_list_videos.txt',
                role='query',
                test_mode=True,
                pipeline=_base_.query_pipeline),
        ]))
