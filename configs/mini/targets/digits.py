# The teacher's features of 8 reference clips of each moving digit, for iboot_r18_digits_cached.py; see there.
_base_ = '../iboot_r18_digits.py'

_base_.train_pipeline[1].num_views = 8
model = dict(
    _delete_=True,
    type='TeacherEncoder',
    teacher=_base_.model.teacher,
    data_preprocessor=_base_.model.data_preprocessor,
    augment=True)
test_dataloader = dict(
    _delete_=True,
    batch_size=16,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(_base_.train_dataloader.dataset, pipeline=_base_.train_pipeline))
test_cfg = dict(type='TargetLoop', store='data/targets/digits')
test_evaluator = []
