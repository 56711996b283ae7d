"""As supervised_k400.py on Kinetics-700. The large-scale study reports 65.2 top-1 (its Table 14)."""
_base_ = [
    './_base_/models/slow_r50.py',
    './_base_/datasets/k700.py',
    './_base_/schedules/supervised_b64_200e.py',
    './_base_/runtime.py',
]
model = dict(backbone=dict(zero_init_residual=True), cls_head=dict(num_classes=700))
