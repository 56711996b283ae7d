"""Fine-tuning AdViSe on HMDB51, split 1, 10 x 3 views. Paper, pre-trained on UCF101: 58.1; on K400: 60.5.
"""
_base_ = [
    './_base_/advise_tmm.py',
    '../../downstream/_base_/datasets/hmdb51.py',
    '../../_base_/teachers/clip_vit_b16.py',
    '../../downstream/_base_/runtime.py',
]
model = dict(backbone=dict(teacher=_base_.teacher), cls_head=dict(num_classes=51))
_base_.val_dataloader.dataset.pipeline[3].size = 224
_base_.test_dataloader.dataset.pipeline[3].size = 224
