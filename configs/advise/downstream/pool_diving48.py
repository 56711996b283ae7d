"""pool_ucf101_split1.py on Diving48. Paper: 23.1 with CLIP."""
_base_ = './finetune_diving48.py'
model = dict(backbone=dict(temporal=None), cls_head=dict(in_channels=768))
