"""advise_tmm_digits.py with the image model's tokens written before training, of whole frames scaled to 48 pixels:

    python tools/data/cache_tokens.py configs/mini/advise_tmm_digits_cached.py
    python tools/train.py configs/mini/advise_tmm_digits_cached.py

`make quickstart METHOD=advise` does both.
"""
_base_ = './advise_tmm_digits.py'

tokens = dict(
    type='OpenTokens',
    store='data/tokens/digits',
    root=_base_.data_root,
    teacher=_base_.teacher,
    size=48,
    short_side=48)
train_pipeline = [tokens, _base_.train_pipeline[1], dict(type='TakeTokens'), _base_.train_pipeline[-1]]
val_pipeline = [tokens, _base_.val_pipeline[1], dict(type='TakeTokens'), _base_.val_pipeline[-1]]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
model = dict(
    backbone=dict(stored_width=96),
    data_preprocessor=dict(_delete_=True, type='TokenPreprocessor', per_clip=True))
