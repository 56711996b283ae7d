"""Table 15: MoCo with a momentum that does not rise ("N/A"). The study reports K400 linear 64.5.

A.3 names MoCo's own momentum, .999. Others: --cfg-options model.momentum.base=.996
"""
_base_ = '../moco_slow_r50_rho2_k400.py'
model = dict(momentum=dict(base=.999, schedule='fixed'))
