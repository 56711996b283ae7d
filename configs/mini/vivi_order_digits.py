# vivi_ex2_digits.py with the order of the shots in place of InfoNCE. Its shots are composed in no order, so there is
# nothing to find: what this shows is what the loss does where its cue is missing.
_base_ = './vivi_ex2_digits.py'
model = dict(video_loss=dict(type='ShotOrderHead', hidden=512))
