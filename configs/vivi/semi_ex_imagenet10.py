"""Semi-Ex-10%: exemplars of ImageNet and a class-balanced 10 % of its labels. The paper reports 65.3 on VTAB (Table 1).

S4L [68]; from its public code (google-research/s4l, config/s4l_exemplar.sh): 512 images a step, as many labelled ones,
learning rate .1 after 10 of 200 passes over the 128,000 labelled images, a tenth after 140, 160 and 180, weight decay
1e-3, HSV colours, 8 patches. Deviations: there the labelled images are exemplars, too, and all 8 patches of one are
classified; decays and batch are those of a network four times as wide. 32 GPUs, as vivi_ex4_co100.py.
"""
_base_ = ['./ex_imagenet.py', './_base_/imagenet.py']
hsv = dict(type='HSVPreprocessor', color_jitter=None, gray_prob=0., blur_prob=0.)
model = dict(
    type='CoTrainedVIVI',
    num_classes=1000,
    image_weight=1.,
    standardize=False,
    data_preprocessor=dict(_delete_=True, **hsv))
batch = 512
train_dataloader = dict(batch_size=16, sampler=dict(steps=250, multiple_of=batch))
_base_.image_loader.batch_size = 16
_base_.image_loader.dataset.share = .1
train_cfg = dict(
    _delete_=True,
    type='MultiLoaderEpochBasedTrainLoop',
    max_epochs=200,
    val_interval=20,
    other_loaders=[_base_.image_loader])
optim_wrapper = dict(optimizer=dict(lr=.1, weight_decay=1e-3))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[140, 160, 180], gamma=.1, by_epoch=True),
    dict(type='LinearLR', start_factor=1e-3, by_epoch=True, begin=0, end=10, convert_to_iter_based=True),
]
auto_scale_lr = dict(base_batch_size=batch)
