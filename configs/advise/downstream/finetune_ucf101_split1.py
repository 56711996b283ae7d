"""Fine-tuning AdViSe with CLIP ViT-B/16 on UCF101, split 1, 10 x 3 views.

Paper, pre-trained on UCF101: 90.7; on K400: 92.3.

    python tools/train.py THIS --cfg-options load_from=work_dirs/advise_clip_b16_ucf101/epoch_800.pth

Frames and stride are lost in the text: 8 frames, every 8th, are those of the test in the public code.
"""
_base_ = [
    './_base_/advise_tmm.py',
    '../../downstream/_base_/datasets/ucf101.py',
    '../../_base_/teachers/clip_vit_b16.py',
    '../../downstream/_base_/runtime.py',
]
model = dict(backbone=dict(teacher=_base_.teacher), cls_head=dict(num_classes=101))
_base_.val_dataloader.dataset.pipeline[3].size = 224
_base_.test_dataloader.dataset.pipeline[3].size = 224
