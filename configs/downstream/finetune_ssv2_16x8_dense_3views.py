"""As finetune_ssv2_16x8_3views.py with dense clips: 16 frames, every 8th, the last one repeated in shorter videos."""
_base_ = './finetune_ssv2_16x8_3views.py'
for loader in (_base_.train_dataloader, _base_.val_dataloader, _base_.test_dataloader):
    loader.dataset.pipeline[1].update(sampling='dense', frame_interval=8)
del loader
