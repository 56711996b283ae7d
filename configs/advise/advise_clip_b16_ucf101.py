"""AdViSe with CLIP ViT-B/16, playback rates of UCF101, 800 epochs.

Paper: UCF101 90.7, HMDB51 58.1 after fine-tuning.
"""
_base_ = [
    '../_base_/models/advise_tmm.py',
    '../_base_/datasets/ucf101_rates.py',
    '../_base_/schedules/adamw_b32_800e.py',
    '../_base_/teachers/clip_vit_b16.py',
    './_base_/runtime.py',
]
model = dict(backbone=dict(teacher=_base_.teacher))
