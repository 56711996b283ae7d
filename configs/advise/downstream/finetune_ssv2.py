"""Fine-tuning AdViSe on Something-Something V2: one frame of each of 8 equal parts. The paper's figure is lost.

40 epochs, as the other recipes for it in configs/downstream: **our choice**.
"""
_base_ = [
    './_base_/advise_tmm.py',
    '../../downstream/_base_/datasets/ssv2.py',
    '../../_base_/teachers/clip_vit_b16.py',
    '../../downstream/_base_/runtime.py',
]
model = dict(backbone=dict(teacher=_base_.teacher), cls_head=dict(num_classes=174))
train_cfg = dict(max_epochs=40, val_interval=5)
_base_.param_scheduler[1].end = 40
_base_.val_dataloader.dataset.pipeline[3].size = 224
_base_.test_dataloader.dataset.pipeline[3].size = 224
