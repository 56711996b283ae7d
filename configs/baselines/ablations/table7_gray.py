"""Table 7: MoCo with gray clips at a probability of .4. The study reports K400 linear 65.5, UCF101 91.0."""
_base_ = '../moco_slow_r50_rho2_k400.py'
model = dict(data_preprocessor=dict(gray_prob=.4))
