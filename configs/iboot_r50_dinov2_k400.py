"""The headline recipe with DINOv2 ViT-B/14 as the teacher."""
_base_ = [
    '_base_/models/iboot_slow_r50.py',
    '_base_/datasets/kinetics400.py',
    '_base_/schedules/lars_b416_200e.py',
    '_base_/teachers/dinov2_vit_b14.py',
    '_base_/default_runtime.py',
]
model = dict(teacher=_base_.teacher)
