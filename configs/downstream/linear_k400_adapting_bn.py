"""As linear_k400.py, the way of the paper's framework: BN takes the batch's statistics, and its averages move.

Paper's headline: 71.8 top-1, of this variant or of linear_k400.py; it does not say.
"""
_base_ = './linear_k400.py'
model = dict(bn='adapting')
