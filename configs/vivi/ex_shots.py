"""Ex-YT-S: vivi_ex4.py's shots by themselves, without a video loss. The paper reports 61.3 on VTAB (Table 2)."""
_base_ = './vivi_ex4.py'
model = dict(video_loss=None)
