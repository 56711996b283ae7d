# AdViSe on the moving digits, with the teacher of still digits as its image model: the data of iboot_r18_digits.py, and
# the same number of epochs. Clips of 48 pixels are scaled to 96, which gives a grid of 3 x 3 tokens and not 2 x 2.
_base_ = './_base_/advise_tmm.py'

data_root = 'data/moving_digits'
label_names = ('digit', 'motion')
teacher = dict(
    type='TimmTeacher',
    model='test_resnet',
    model_args=dict(num_classes=10),
    checkpoint='data/digit_teacher/teacher.pth',
    mean=(.5, .5, .5),
    std=(.25, .25, .25),
    input_size=96,
    name='digits')
model = dict(backbone=dict(teacher=teacher))

train_dataloader = dict(dataset=dict(root=data_root, ann_file='train.txt', label_names=label_names))
val_dataloader = dict(dataset=dict(root=data_root, ann_file='test.txt', label_names=label_names))
test_dataloader = val_dataloader
knn_dataloader = dict(
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
                pipeline=_base_.knn_pipeline) for ann_file, role in (('train.txt', 'gallery'), ('test.txt', 'query'))
        ]))
