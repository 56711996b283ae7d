"""As finetune_ssv2_8x8_3views.py with 16 frames. Paper's headline: 63.0 top-1."""
_base_ = './finetune_ssv2_8x8_3views.py'
for loader in (_base_.train_dataloader, _base_.val_dataloader, _base_.test_dataloader):
    loader.batch_size = 8  # a clip takes twice the memory
    loader.dataset.pipeline[1].clip_len = 16
del loader
