"""Fine-tuning on HMDB51, split 1, as in the large-scale study (B.7): all weights, dropout .8, 10 x 3 views.

Figures of the study for each checkpoint: ../README.md.
"""
_base_ = [
    '../../downstream/_base_/models/slow_r50.py',
    '../../downstream/_base_/datasets/hmdb51.py',
    './_base_/finetune_b64_200e.py',
    '../../downstream/_base_/runtime.py',
]
model = dict(cls_head=dict(num_classes=51, dropout_ratio=.8))
