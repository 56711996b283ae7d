# MobileNetV2 (ImageNet, 1001 classes, class 0 is background), de-quantised from Coral's tf2_mobilenet_v2_1.0_224_ptq;
# the file of weights comes with CKPT= of `make quickstart`. It was trained at 224 pixels; 96 is what a CPU bears. On
# clips of 64 pixels of the turntable fruit, every second frame, its k-NN is 55.3 % at 96 and 56.0 % at 128 (224: not
# measured).
teacher = dict(
    type='TimmTeacher',
    model='mobilenetv2_100',
    model_args=dict(pad_type='same', num_classes=1001),
    mean=(.5, .5, .5),
    std=(.5, .5, .5),
    input_size=96,
    name='mobilenetv2')
