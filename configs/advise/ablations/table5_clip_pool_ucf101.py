"""Table 5: average pooling of CLIP ViT-L/14's tokens, UCF101. Paper: 88.5."""
_base_ = ['../downstream/finetune_ucf101_split1.py', './_base_/image_models.py']
model = dict(backbone=dict(teacher=_base_.clip_l14, temporal=None), cls_head=dict(in_channels=1024))
