"""The headline recipe with the 768-d token of CLIP ViT-B/16, before its projection, as the teacher."""
_base_ = [
    '_base_/models/iboot_slow_r50.py',
    '_base_/datasets/kinetics400.py',
    '_base_/schedules/lars_b416_200e.py',
    '_base_/teachers/clip_vit_b16_cls768.py',
    '_base_/default_runtime.py',
]
model = dict(teacher=_base_.teacher)
