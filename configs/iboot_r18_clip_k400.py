"""The headline recipe with the Slow R18 of the large-scale study: 20.2 M parameters with a head for 400 classes.

In the last two stages only the first convolution of a block mixes time. MMAction2's own R18 lets both do so (32.0 M):
`backbone=dict(type='ResNet3dSlowOnly', zero_init_residual=False)`. The iBoot paper has no figure for it.
"""
_base_ = './iboot_r50_clip_k400.py'
model = dict(backbone=dict(depth=18), feature_dim=512)
