# AdViSe on any folder of videos, nested, without labels or lists: the image model of iboot_r18_folder.py, whose tokens
# of the middle square of each frame, scaled to 96 pixels, are written first (tools/data/cache_tokens.py) and learned
# from, 3 x 3 of each frame. `make quickstart METHOD=advise VIDEOS=DIR` writes a config on top of this one
# (tools/make_config.py) and does both.
_base_ = './_base_/advise_tmm.py'

data_root = 'data/videos'
size, side = 96, 3
teacher = dict(type='TimmTeacher', model='mobilenetv2_100.ra_in1k', input_size=size)
tokens = dict(
    type='OpenTokens',
    store='data/tokens/videos',
    root=data_root,
    teacher=teacher,
    size=size,
    short_side=size,
    resolution=side)
train_pipeline = [tokens, _base_.train_pipeline[1], dict(type='TakeTokens'), _base_.train_pipeline[-1]]
val_pipeline = [tokens, _base_.val_pipeline[1], dict(type='TakeTokens'), _base_.val_pipeline[-1]]
_base_.knn_pipeline[3].update(size=size, short_side=size)
model = dict(
    backbone=dict(teacher=teacher, resolution=side, stored_width=1280),
    data_preprocessor=dict(_delete_=True, type='TokenPreprocessor', per_clip=True))
train_dataloader = dict(dataset=dict(root=data_root, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(root=data_root, pipeline=val_pipeline))
test_dataloader = val_dataloader
knn_dataloader = dict(
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(type='VideoFolder', root=data_root, role='gallery', test_mode=True, pipeline=_base_.knn_pipeline),
            dict(type='VideoFolder', root=data_root, role='query', test_mode=True, pipeline=_base_.knn_pipeline,
                 indices=12),
        ]))
