"""Table 4: CLIP ViT-L/14. Paper: UCF101 91.9, Diving48 74.2."""
_base_ = ['../advise_clip_l14_ucf101.py', './_base_/image_models.py']
model = dict(backbone=dict(_delete_=True, type='ImageTMM', teacher=_base_.teacher, temporal=dict(type='r3d')))
