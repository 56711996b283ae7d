"""Table 5: average pooling of MAE ViT-L/16's tokens, UCF101. Paper: 73.0."""
_base_ = ['../downstream/finetune_ucf101_split1.py', './_base_/image_models.py']
model = dict(backbone=dict(teacher=_base_.mae, temporal=None), cls_head=dict(in_channels=1024))
