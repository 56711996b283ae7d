"""VIVI-Ex(4)-Co(100%)-Big: three times as wide, AutoAugment for ImageNet. The paper reports 71.7 on VTAB (Table 1)."""
_base_ = './vivi_ex4_co100.py'
model = dict(
    backbone=dict(width_factor=3),
    feature_dim=6144,
    image_preprocessor=dict(type='ViewPreprocessor', color_jitter=None, gray_prob=0., blur_prob=0.))
_base_.train_cfg.other_loaders[0].dataset.pipeline.insert(4, dict(type='AutoAugmentViews'))
_base_.train_cfg.other_loaders[0].batch_size = 8
train_dataloader = dict(batch_size=4)
optim_wrapper = dict(accumulative_counts=4)  # of 4 videos and 8 images a GPU: **our choice**, not measured on a GPU
