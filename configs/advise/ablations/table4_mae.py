"""Table 4: MAE ViT-L/16. Paper: UCF101 86.8, Diving48 75.5."""
_base_ = ['../advise_clip_l14_ucf101.py', './_base_/image_models.py']
model = dict(backbone=dict(_delete_=True, type='ImageTMM', teacher=_base_.mae, temporal=dict(type='r3d')))
