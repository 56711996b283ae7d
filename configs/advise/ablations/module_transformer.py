"""Not in the paper: another kind of temporal module, transformer."""
_base_ = '../advise_clip_b16_ucf101.py'
model = dict(backbone=dict(temporal=dict(_delete_=True, type='transformer')))
