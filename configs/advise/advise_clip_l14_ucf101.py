"""AdViSe with CLIP ViT-L/14, playback rates of UCF101, 800 epochs.

Paper: UCF101 91.9, HMDB51 60.7 after fine-tuning.
"""
_base_ = [
    '../_base_/models/advise_tmm.py',
    '../_base_/datasets/ucf101_rates.py',
    '../_base_/schedules/adamw_b32_800e.py',
    '../_base_/teachers/clip_vit_l14.py',
    './_base_/runtime.py',
]
model = dict(backbone=dict(teacher=_base_.teacher))
