"""rho-BYOL with S3D-G, 4 clips of 32 frames, every 2nd (as in Table 5), and "aug+".

The study reports, as the mean of 3 splits, UCF101 96.3, HMDB51 75.0 (Table 11).
"""
_base_ = './byol_r2plus1d_32x2_rho4_augplus_k400.py'
model = dict(backbone=dict(_delete_=True, type='S3DG'), feature_dim=1024)
