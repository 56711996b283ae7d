# UCF101, split 1: test videos look for their class among the training videos.
_base_ = './one_clip.py'
data_root = 'data/ucf101/'
test_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(
                type='VideoFolder',
                root=data_root + 'videos',
                ann_file=data_root + 'ucf101_train_split_1_videos.txt',
                role='gallery',
                test_mode=True,
                pipeline=_base_.gallery_pipeline),
            dict(
                type='VideoFolder',
                root=data_root + 'videos',
                ann_file=data_root + 'ucf101_val_split_1_videos.txt',
                role='query',
                test_mode=True,
                pipeline=_base_.query_pipeline),
        ]))
