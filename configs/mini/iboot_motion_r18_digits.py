# iboot_r18_digits.py with a motion target: the teacher's own correspondences, by clusters (docs/motion_target.md).
# The network mixes time in its stem and in all stages: at 48 pixels the stages that do by default have maps of 3 x 3,
# where nothing is seen to move. One online view and no colour jitter, since nothing is contrasted that colours could
# give away and a few hundred steps are all there is.
_base_ = './iboot_r18_digits.py'

_base_.train_pipeline[1].num_views = 2
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
model = dict(
    backbone=dict(inflate=(1, 1, 1, 1), conv1_kernel=(3, 7, 7)),
    motion=dict(shown=dict(type='correspondences', stride=4)),  # of 48 pixels: maps of 12 x 12
    data_preprocessor=dict(color_prob=0., gray_prob=0.))
train_cfg = dict(val_interval=5)
