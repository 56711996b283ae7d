"""Not in the paper: another kind of temporal module, swin."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(temporal=dict(_delete_=True, type='swin')))
