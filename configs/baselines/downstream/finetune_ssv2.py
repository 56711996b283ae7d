"""Fine-tuning on Something-Something V2 as in the large-scale study (B.5): one clip of 8 segments, the centre crop.

22 epochs of 64 videos a step, learning rate .12, a tenth at epochs 14 and 18, weight decay 1e-6, dropout .5, no flip.
Figures of the study for each checkpoint: ../README.md.
"""
_base_ = '../../downstream/finetune_ssv2_8x8_1view.py'
train_cfg = dict(max_epochs=22, val_interval=2)
# Nesterov, and BN free of weight decay, are PySlowFast's; its warm-up of .19 epochs is left out, as in the study.
optim_wrapper = dict(
    optimizer=dict(lr=.12, weight_decay=1e-6, nesterov=True), paramwise_cfg=dict(norm_decay_mult=0.))
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[14, 18], gamma=.1)]
