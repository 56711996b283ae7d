"""The headline recipe with the teacher out of memory: its features of 8 clips of each video are written before.

    tools/dist_test.sh configs/targets/clip_vit_b16_k400.py none 8
    tools/dist_train.sh configs/iboot_r50_clip_k400_cached.py 8 --cfg-options train_dataloader.batch_size=52

240,000 videos x 8 clips x 512 features in float16 are 2.0 GB. The teacher sees 8 clips of a video rather than the 200
of the whole training, and an epoch decodes two clips of a video rather than three. Differs from the paper in that a
video's reference clip is one of those 8 (our choice of number) rather than a new one in each epoch.
"""
_base_ = './iboot_r50_clip_k400.py'

_base_.train_dataloader.dataset.pipeline[1].num_views = 2
_base_.train_dataloader.dataset.pipeline.insert(2, dict(type='LoadTargets', store='data/targets/clip_vit_b16_k400'))
model = dict(type='CachedIBoot', width=512)
custom_hooks = [*_base_.custom_hooks, dict(type='TargetCheckHook')]
