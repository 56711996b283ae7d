# iboot_motion_r18_digits.py with what the teacher says of 4 clips of each video written before training:
#
#     python tools/test.py configs/mini/targets/digits_motion.py none
#     python tools/train.py configs/mini/iboot_motion_r18_digits_cached.py
#
# `make quickstart` does both. 1,437 videos x 4 clips x (96 + 25) numbers are 1.4 MB in float16.
_base_ = './iboot_motion_r18_digits.py'

_base_.train_pipeline[1].num_views = 1
_base_.train_pipeline.insert(2, dict(type='LoadTargets', store='data/targets/digits_motion'))
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
model = dict(type='CachedIBoot', width=96, motion_width=25)
custom_hooks = [*_base_.custom_hooks, dict(type='TargetCheckHook')]
