"""Table 5: average pooling of MAE ViT-L/16's tokens, Diving48. Paper: 14.1."""
_base_ = ['../downstream/finetune_diving48.py', './_base_/image_models.py']
model = dict(backbone=dict(teacher=_base_.mae, temporal=None), cls_head=dict(in_channels=1024))
