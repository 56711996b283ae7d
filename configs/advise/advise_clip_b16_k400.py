"""AdViSe with CLIP ViT-B/16, playback rates of K400, 200 epochs. Paper: UCF101 92.3, HMDB51 60.5 after fine-tuning."""
_base_ = [
    '../_base_/models/advise_tmm.py',
    '../_base_/datasets/kinetics400_rates.py',
    '../_base_/schedules/adamw_b32_200e.py',
    '../_base_/teachers/clip_vit_b16.py',
    './_base_/runtime.py',
]
model = dict(backbone=dict(teacher=_base_.teacher))
