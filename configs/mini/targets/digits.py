# The teacher's features of 8 reference clips of each moving digit, for iboot_r18_digits_cached.py; see there.
_base_ = '../iboot_r18_digits.py'

_base_.train_dataloader.dataset.pipeline[1].num_views = 8
model = dict(
    _delete_=True,
    type='TeacherEncoder',
    teacher=_base_.model.teacher,
    data_preprocessor=_base_.model.data_preprocessor,
    augment=True)
test_dataloader = dict(_base_.train_dataloader, _delete_=True)
test_cfg = dict(type='TargetLoop', store='data/targets/digits')
test_evaluator = []
