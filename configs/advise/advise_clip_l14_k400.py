"""AdViSe with CLIP ViT-L/14, playback rates of K400, 200 epochs. Paper: UCF101 94.1, HMDB51 63.0 after fine-tuning."""
_base_ = [
    '../_base_/models/advise_tmm.py',
    '../_base_/datasets/kinetics400_rates.py',
    '../_base_/schedules/adamw_b32_200e.py',
    '../_base_/teachers/clip_vit_l14.py',
    './_base_/runtime.py',
]
model = dict(backbone=dict(teacher=_base_.teacher))
