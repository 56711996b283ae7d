"""Table 7: MoCo with differences of gray frames at a probability of .2.

The study reports K400 linear 66.2, UCF101 91.3; what exactly it subtracts is our choice, see ViewPreprocessor.
"""
_base_ = '../moco_slow_r50_rho2_k400.py'
model = dict(data_preprocessor=dict(temporal_difference_prob=.2))
