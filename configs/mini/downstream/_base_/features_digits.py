# Frozen features of the quickstart's moving digits, from the mini network (configs/mini/_base_/iboot_slow_r18.py).
_base_ = ['../../../downstream/_base_/frozen_features.py', '../../../downstream/_base_/datasets/one_clip.py']

model = dict(backbone=dict(depth=18, base_channels=16))

data_root = 'data/moving_digits'
label_names = ('digit', 'motion')
test_dataloader = dict(num_workers=1)
for part, ann_file in zip(_base_.test_dataloader.dataset.datasets, ('train.txt', 'test.txt')):
    part.update(root=data_root, ann_file=ann_file, label_names=label_names)
    part.pipeline[1].frame_interval = 2
    part.pipeline[3].update(size=48, short_side=48)
del part, ann_file
