"""Table 7: 3D ResNet-101 as in PySlowFast (see ../iboot_r101_clip_k400.py).

Paper: k-NN 55.3, HMDB51 70.1, UCF101 94.6.
"""
_base_ = '../iboot_r50_clip_k400_100e.py'
model = dict(backbone=dict(depth=101))
