"""Table 4: DINOv2 ViT-L/14. Paper: UCF101 95.3, Diving48 82.9."""
_base_ = ['../advise_clip_l14_ucf101.py', './_base_/image_models.py']
model = dict(backbone=dict(_delete_=True, type='ImageTMM', teacher=_base_.dinov2, temporal=dict(type='r3d')))
