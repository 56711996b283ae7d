"""VIVI-Rot(4) with the order of shots in place of InfoNCE: "not effective" (section 5.1)."""
_base_ = './vivi_rot4.py'
model = dict(video_loss=dict(type='ShotOrderHead', hidden=512))
