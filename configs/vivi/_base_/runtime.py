_base_ = '../../_base_/default_runtime.py'
_base_.custom_hooks[0].bn_videos = None  # the paper does not say what BN sees
