"""The headline recipe with DeiT ViT-B/16 (supervised) as the teacher."""
_base_ = [
    '_base_/models/iboot_slow_r50.py',
    '_base_/datasets/kinetics400.py',
    '_base_/schedules/lars_b416_200e.py',
    '_base_/teachers/deit_vit_b16.py',
    '_base_/default_runtime.py',
]
model = dict(teacher=_base_.teacher)
