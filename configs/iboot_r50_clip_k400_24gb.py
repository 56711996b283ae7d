"""The 100-epoch recipe on one GPU with 24 GB: the same global batch, schedule and learning rate.

13 videos at once, 8 parts to a batch, in bfloat16 (ours: the paper does not say). The network keeps about 360 MB of
activations a clip, 9.3 GB for 26 clips (counted by tools/analysis/dry_run.py, not measured on a GPU);
`model.backbone.with_cp=True` cuts that to about 4 GB for a third more computation. What differs from the paper: BN sees
13 videos at once, not 104.
"""
_base_ = './iboot_r50_clip_k400_100e.py'
optim_wrapper = dict(type='AmpOptimWrapper', dtype='bfloat16', loss_scale=1.)  # bfloat16 needs no loss scaling
