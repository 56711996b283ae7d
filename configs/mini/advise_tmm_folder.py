# AdViSe on any folder of videos, nested, without labels or lists: the image model of iboot_r18_folder.py, clips of 64 x
# 64 pixels, which it sees at 96 (3 x 3 tokens) for the CPU's sake. `make quickstart METHOD=advise VIDEOS=DIR` writes a
# config on top of this one (tools/make_config.py).
_base_ = './_base_/advise_tmm.py'

data_root = 'data/videos'
teacher = dict(type='TimmTeacher', model='mobilenetv2_100.ra_in1k', input_size=96)
model = dict(backbone=dict(teacher=teacher))

for pipeline in (_base_.train_pipeline, _base_.val_pipeline, _base_.knn_pipeline):
    pipeline[3].size = 64
_base_.val_pipeline[3].short_side = _base_.knn_pipeline[3].short_side = 68
_base_.train_pipeline[3].flip_prob = .5
del pipeline
train_dataloader = dict(dataset=dict(root=data_root, pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(root=data_root, pipeline=_base_.val_pipeline))
test_dataloader = val_dataloader
knn_dataloader = dict(
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(type='VideoFolder', root=data_root, role='gallery', test_mode=True, pipeline=_base_.knn_pipeline),
            dict(type='VideoFolder', root=data_root, role='query', test_mode=True, pipeline=_base_.knn_pipeline,
                 indices=12),
        ]))
