# MoCo: BN within each GPU's 8 videos (B.1).
_base_ = './runtime.py'
sync_bn = None
_base_.custom_hooks[0].bn_videos = 8
