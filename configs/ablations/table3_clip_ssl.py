"""Table 3: CLIP and a momentum copy of the network as targets. Paper: k-NN 51.2, HMDB51 64.5, UCF101 92.2."""
_base_ = './table1_clip.py'
model = dict(momentum=dict(base=.996))  # annealed to 1; the paper names no value, .996 is rho-BYOL's
custom_hooks = _base_.custom_hooks + [dict(type='MomentumUpdateHook')]
