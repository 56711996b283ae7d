# Any folder of videos, nested, without labels or lists: a small teacher that a CPU bears, clips of 64 x 64 pixels.
# `make quickstart VIDEOS=DIR` writes a config on top of this one (tools/make_config.py) and trains that.
_base_ = './_base_/iboot_slow_r18.py'

data_root = 'data/videos'

model = dict(
    teacher=dict(type='TimmTeacher', model='mobilenetv2_100.ra_in1k'),
    # Not the paper's, which is None for both (and target_norm='none'): model_cards/objectives.md.
    contrast=.1,
    head=dict(hidden_dim=512),
    # Weaker than the paper's (hue .05, gray .2): colour is much of what tells the videos of a small folder apart.
    data_preprocessor=dict(color_jitter=dict(brightness=.2, contrast=.2, saturation=.2, hue=.02), gray_prob=0.))

clip = dict(frame_interval=4)
_base_.train_pipeline[1].update(clip)
_base_.train_pipeline[3].update(size=64, short_side=(68, 84), flip_prob=.5)
_base_.val_pipeline[1].update(clip)
_base_.val_pipeline[3].update(size=64, short_side=68)
train_dataloader = dict(dataset=dict(root=data_root, pipeline=_base_.train_pipeline))
# Without labels the evaluation only logs the spread of the features; the report looks up the neighbours of a dozen.
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
