"""Table 5: MoCo with S3D-G on clips of 32 frames, every 2nd.

The study reports 9.1 M parameters, 36.0 G multiply-adds, K400 linear 63.2, UCF101 94.5.
"""
_base_ = './table5_32x2.py'
model = dict(backbone=dict(_delete_=True, type='S3DG'), feature_dim=1024)
