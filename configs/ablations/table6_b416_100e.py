"""Table 6: 32 x 13 videos, 100 epochs. Paper: k-NN 55.0, HMDB51 69.1, UCF101 94.2."""
_base_ = [
    '../_base_/models/iboot_slow_r50.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/schedules/lars_b416_100e.py',
    '../_base_/teachers/clip_vit_b16.py',
    '../_base_/default_runtime.py',
]
model = dict(teacher=_base_.teacher)
