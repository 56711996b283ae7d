"""configs/downstream/linear_k400.py at mini size: a linear classifier on frozen features of moving digits."""
_base_ = './_base_/digits.py'
model = dict(type='LinearProbe', bn='frozen')
optim_wrapper = dict(optimizer=dict(lr=.1))  # 1.0 at full size; too high for the short runs here
