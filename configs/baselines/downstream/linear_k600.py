"""As linear_k400.py on Kinetics-600. Figures of the study (Table 14) for each checkpoint: ../README.md."""
_base_ = [
    './_base_/linear_probe.py',
    '../../downstream/_base_/datasets/k600.py',
    './_base_/linear_b512_60e.py',
    '../../downstream/_base_/runtime.py',
]
model = dict(cls_head=dict(num_classes=600))
