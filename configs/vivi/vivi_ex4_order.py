"""VIVI-Ex(4) with the order of 4 shots, forward or reversed, in place of InfoNCE; the paper has 2 (section 4)."""
_base_ = './vivi_ex4.py'
model = dict(video_loss=dict(type='ShotOrderHead', hidden=512))
