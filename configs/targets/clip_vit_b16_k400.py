"""CLIP's features of 8 reference clips of each training video, for iboot_r50_clip_k400_cached.py; see there.

A stopped run goes on where it was. For other videos, teachers or numbers of clips, copy this file and that one.
"""
_base_ = '../iboot_r50_clip_k400.py'

_base_.train_dataloader.dataset.pipeline[1].num_views = 8
model = dict(
    _delete_=True,
    type='TeacherEncoder',
    teacher=_base_.model.teacher,
    data_preprocessor=_base_.model.data_preprocessor,
    augment=True)
test_dataloader = dict(_base_.train_dataloader, _delete_=True)
test_cfg = dict(type='TargetLoop', store='data/targets/clip_vit_b16_k400')
test_evaluator = []
