"""Table 3: DINO and a momentum copy of the network as targets. Paper: k-NN 48.8, HMDB51 60.3, UCF101 90.6."""
_base_ = './table1_dino.py'
model = dict(momentum=dict(base=.996))  # annealed to 1; the paper names no value, .996 is rho-BYOL's
custom_hooks = _base_.custom_hooks + [dict(type='MomentumUpdateHook')]
