"""Linear classification on frozen features of Kinetics-400 as in the large-scale study (B.2), 10 x 3 views.

Figures of the study for each checkpoint: ../README.md.
"""
_base_ = [
    './_base_/linear_probe.py',
    '../../downstream/_base_/datasets/k400.py',
    './_base_/linear_b512_60e.py',
    '../../downstream/_base_/runtime.py',
]
