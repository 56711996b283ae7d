"""VIVI-Ex(2) with the order of 2 shots, forward or reversed, in place of InfoNCE (section 3.3)."""
_base_ = './vivi_ex2.py'
model = dict(video_loss=dict(type='ShotOrderHead', hidden=512))
