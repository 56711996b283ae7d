"""VIVI-Ex(4)-Co(10%): co-trained with a class-balanced tenth of ImageNet's labels. The paper reports 67.2 on VTAB."""
_base_ = './vivi_ex4_co100.py'
# "The same HSV-space color randomization as [68]", which the public code of [68] gives, after the colours of [58].
model = dict(image_preprocessor=dict(_base_.model.data_preprocessor, type='HSVPreprocessor'))
_base_.train_cfg.other_loaders[0].dataset.share = .1  # 128 images of each class
_base_.train_cfg.other_loaders[0].batch_size = 8  # 256 a step, 200 passes: **our choice**, the passes of [68]
