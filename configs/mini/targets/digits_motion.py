# What the teacher says of 4 reference clips of each moving digit, appearance and motion, for
# iboot_motion_r18_digits_cached.py; see there.
_base_ = '../iboot_motion_r18_digits.py'

_base_.train_dataloader.dataset.pipeline[1].num_views = 4
model = dict(
    _delete_=True,
    type='TeacherEncoder',
    teacher=_base_.model.teacher,
    motion=_base_.model.motion,
    data_preprocessor=_base_.model.data_preprocessor,
    augment=True)
test_dataloader = dict(_base_.train_dataloader, _delete_=True)
test_cfg = dict(type='TargetLoop', store='data/targets/digits_motion')
test_evaluator = []
