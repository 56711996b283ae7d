"""Fine-tuning on UCF101, split 1, as in the large-scale study (B.6): all weights, dropout .8, 10 x 3 views.

PySlowFast's file differs: learning rate .01, cosine to 0, and colours of .4 .4 .4 .1 and gray at .2.
Figures of the study for each checkpoint: ../README.md.
"""
_base_ = [
    '../../downstream/_base_/models/slow_r50.py',
    '../../downstream/_base_/datasets/ucf101.py',
    './_base_/finetune_b64_200e.py',
    '../../downstream/_base_/runtime.py',
]
model = dict(cls_head=dict(num_classes=101, dropout_ratio=.8))
