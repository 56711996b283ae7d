"""Table 4: CLIP and DINOv2, channels joined. Paper: UCF101 94.1, Diving48 81.3 (see README.md)."""
_base_ = ['../advise_clip_l14_ucf101.py', './_base_/image_models.py']
model = dict(
    backbone=dict(_delete_=True, type='ImageTMM', teacher=[_base_.teacher, _base_.dinov2], temporal=dict(type='r3d')))
