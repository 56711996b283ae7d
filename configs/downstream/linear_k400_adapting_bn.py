"""As linear_k400.py, the way of the paper's framework: BN takes the batch's statistics, and its averages move."""
_base_ = './linear_k400.py'
model = dict(bn='adapting')
