"""Table 5: MoCo with S3D on clips of 32 frames, every 2nd. The study reports K400 linear 63.2, UCF101 94.5 for S3D-G.

Not the study's network: torchvision's has no gates, 8.3 M parameters and 36.0 G multiply-adds, S3D-G 9.1 M and 36.0 G.
"""
_base_ = './table5_32x2.py'
model = dict(backbone=dict(_delete_=True, type='TorchvisionVideoBackbone', name='s3d'), feature_dim=1024)
