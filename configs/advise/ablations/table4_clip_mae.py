"""Table 4: CLIP and MAE, channels joined. Paper: UCF101 91.4, Diving48 79.4 (see README.md)."""
_base_ = ['../advise_clip_l14_ucf101.py', './_base_/image_models.py']
model = dict(
    backbone=dict(_delete_=True, type='ImageTMM', teacher=[_base_.teacher, _base_.mae], temporal=dict(type='r3d')))
