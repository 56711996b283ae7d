"""Table 5: MoCo with R(2+1)D-18 on clips of 32 frames, every 2nd.

The study reports 15.4 M parameters, 48.5 G multiply-adds, K400 linear 57.2, UCF101 93.7.
"""
_base_ = './table5_32x2.py'
model = dict(backbone=dict(_delete_=True, type='R2Plus1D18'), feature_dim=512)
