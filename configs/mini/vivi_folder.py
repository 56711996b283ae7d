# VIVI on any folder of videos of several shots, nested, without labels: 2 shots, so that more videos count, 4 frames a
# second, 64 pixels. `make quickstart METHOD=vivi VIDEOS=DIR` finds the shots and writes a config on top of this one
# (tools/make_config.py).
_base_ = './_base_/vivi.py'

data_root = 'data/videos'
model = dict(num_shots=2, video_loss=dict(type='ShotPairHead'))

_base_.train_pipeline[1].update(num_shots=2, target_fps=4)
_base_.train_pipeline[3].update(size=64, flip_prob=.5)
_base_.val_pipeline[3].update(size=64, short_side=68)
train_dataloader = dict(
    sampler=dict(steps=None),
    dataset=dict(root=data_root, num_shots=2, target_fps=4, pipeline=_base_.train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(type='VideoFolder', root=data_root, role='gallery', test_mode=True, pipeline=_base_.val_pipeline),
            dict(type='VideoFolder', root=data_root, role='query', test_mode=True, pipeline=_base_.val_pipeline,
                 indices=12),
        ]))
test_dataloader = val_dataloader
test_cfg = dict(type='TestLoop')
test_evaluator = _base_.val_evaluator
