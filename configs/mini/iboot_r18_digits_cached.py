# iboot_r18_digits.py with the teacher's features of 8 clips of each video written before training:
#
#     python tools/test.py configs/mini/targets/digits.py none
#     python tools/train.py configs/mini/iboot_r18_digits_cached.py
#
# 1,437 videos x 8 clips x 96 features are 2.2 MB in float16.
_base_ = './iboot_r18_digits.py'

_base_.train_pipeline[1].num_views = 2
_base_.train_pipeline.insert(2, dict(type='LoadTargets', store='data/targets/digits'))
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
model = dict(type='CachedIBoot', width=96)
custom_hooks = [*_base_.custom_hooks, dict(type='TargetCheckHook')]
