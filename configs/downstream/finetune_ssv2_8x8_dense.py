"""As finetune_ssv2_8x8_1view.py with dense clips: 8 frames, every 8th, the last one repeated in shorter videos."""
_base_ = './finetune_ssv2_8x8_1view.py'
for loader in (_base_.train_dataloader, _base_.val_dataloader, _base_.test_dataloader):
    loader.dataset.pipeline[1].update(sampling='dense', frame_interval=8)
del loader
