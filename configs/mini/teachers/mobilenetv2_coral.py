# MobileNetV2 (ImageNet, 1001 classes, class 0 is background) as de-quantised from Coral's tf2_mobilenet_v2_1.0_224_ptq;
# the file of weights is given by CKPT= of `make quickstart`, or by model.teacher.checkpoint.
teacher = dict(
    type='TimmTeacher',
    model='mobilenetv2_100',
    model_args=dict(pad_type='same', num_classes=1001),
    mean=(.5, .5, .5),
    std=(.5, .5, .5),
    input_size=224,
    name='mobilenetv2')
