# Kinetics-400: validation videos look for their class among the training videos.
_base_ = './one_clip.py'
data_root = 'data/kinetics400/'
test_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(
                type='VideoFolder',
                root=data_root + 'videos_train',
                ann_file=data_root + 'kinetics400_train_list_videos.txt',
                role='gallery',
                test_mode=True,
                pipeline=_base_.gallery_pipeline),
            dict(
                type='VideoFolder',
                root=data_root + 'videos_val',
                ann_file=data_root + 'kinetics400_val_list_videos.txt',
                role='query',
                test_mode=True,
                pipeline=_base_.query_pipeline),
        ]))
