# Moving digits (tools/data/make_moving_digits.py) with a teacher of still digits (tools/data/make_digit_teacher.py).
# `make quickstart` writes both and trains this.
_base_ = './_base_/iboot_slow_r18.py'

data_root = 'data/moving_digits'
label_names = ('digit', 'motion')

model = dict(
    teacher=dict(
        type='TimmTeacher',
        model='test_resnet',
        model_args=dict(num_classes=10),
        checkpoint='data/digit_teacher/teacher.pth',
        mean=(.5, .5, .5),
        std=(.25, .25, .25),
        input_size=48,
        name='digits'))

train_dataloader = dict(dataset=dict(root=data_root, ann_file='train.txt', label_names=label_names))
val_dataloader = dict(
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(
                type='VideoFolder',
                root=data_root,
                ann_file=ann_file,
                label_names=label_names,
                role=role,
                test_mode=True,
                pipeline=_base_.val_pipeline) for ann_file, role in (('train.txt', 'gallery'), ('test.txt', 'query'))
        ]))
test_dataloader = val_dataloader
test_cfg = dict(type='TestLoop')
test_evaluator = _base_.val_evaluator
