"""Table 5: MoCo with R(2+1)D-18 on clips of 32 frames, every 2nd. The study reports K400 linear 57.2, UCF101 93.7.

Not the study's network: torchvision's has 31.5 M parameters and 324 G multiply-adds, the study's 15.4 M and 48.5 G.
"""
_base_ = './table5_32x2.py'
model = dict(backbone=dict(_delete_=True, type='TorchvisionVideoBackbone', name='r2plus1d_18'), feature_dim=512)
