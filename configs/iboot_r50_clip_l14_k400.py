"""The headline recipe with CLIP ViT-L/14 as the teacher."""
_base_ = [
    '_base_/models/iboot_slow_r50.py',
    '_base_/datasets/kinetics400.py',
    '_base_/schedules/lars_b416_200e.py',
    '_base_/teachers/clip_vit_l14.py',
    '_base_/default_runtime.py',
]
model = dict(teacher=_base_.teacher)
