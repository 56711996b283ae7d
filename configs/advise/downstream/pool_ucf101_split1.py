"""Average pooling of the image model's tokens in place of a temporal module (Table 5): the head alone is trained.

There is nothing to pre-train. Paper: 88.5 with CLIP.
"""
_base_ = './finetune_ucf101_split1.py'
model = dict(backbone=dict(temporal=None), cls_head=dict(in_channels=768))
