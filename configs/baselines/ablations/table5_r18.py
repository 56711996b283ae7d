"""Table 5: MoCo with Slow R18, whose basic blocks mix time in their first convolution alone.

The study reports 20.2 M parameters, 20.0 G multiply-adds, K400 linear 56.2, UCF101 87.1.
"""
_base_ = '../moco_slow_r50_rho2_k400.py'
model = dict(backbone=dict(depth=18), feature_dim=512)
