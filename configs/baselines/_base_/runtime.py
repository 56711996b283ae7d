_base_ = '../../_base_/default_runtime.py'
# BN over 8 GPUs (B.1): 64 videos, one clip of each. Fewer than 8 GPUs are one group.
model_wrapper_cfg = dict(bn_group=8)
_base_.custom_hooks[0].bn_videos = 64  # the plan says if it sees another number
