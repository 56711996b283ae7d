"""Table 8: clips of 112 pixels, which the image model sees scaled to its 224, as in the public code; UCF101.

Paper: UCF101 88.7, HMDB51 56.2 after ../downstream/finetune_*_split1_112px.py.
Its number of frames is lost: 8 as elsewhere.
"""
_base_ = '../advise_clip_b16_ucf101.py'
_base_.train_pipeline[3].size = 112
_base_.val_pipeline[3].update(size=112, short_side=128)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = val_dataloader
