"""Table 5: MoCo with Slow R101, of whose third stage 6 blocks mix time.

The study reports 51.4 M parameters, 93.3 G multiply-adds, K400 linear 67.7, UCF101 92.4.
"""
_base_ = '../moco_slow_r50_rho2_k400.py'
model = dict(backbone=dict(depth=101))
