# vivi_ex4_digits.py without a video loss: exemplars of shots.
_base_ = './vivi_ex4_digits.py'
model = dict(video_loss=None)
