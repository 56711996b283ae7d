"""The headline recipe with the paper's Slow R101 (Table 7): 51.4 M parameters with a head for 400 classes.

As in PySlowFast, only the first 6 of the 23 blocks of its third stage mix time. MMAction2's own R101 lets all 23 do so
(60.4 M): `backbone=dict(type='ResNet3dSlowOnly', zero_init_residual=False)`.
"""
_base_ = './iboot_r50_clip_k400.py'
model = dict(backbone=dict(depth=101))
