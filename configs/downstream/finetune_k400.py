"""Fine-tuning on Kinetics-400: all weights, all labels, 10 x 3 views.

The paper has no such row. These are **our choices**: its semi-supervised recipe (as linear classification, but from a
learning rate of .01; section 4.2) with every label, no weight decay as there, and dropout .5 as in MMAction2's Slow
recipes.
"""
_base_ = [
    './_base_/models/slow_r50.py',
    './_base_/datasets/k400.py',
    './_base_/schedules/linear_b64_100e.py',
    './_base_/runtime.py',
]
optim_wrapper = dict(optimizer=dict(lr=.01))
