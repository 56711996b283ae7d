"""The paper's ablation recipe: 100 epochs, 104 videos a step, learning rate .975; 8 GPUs x 13 videos."""
_base_ = [
    '_base_/models/iboot_slow_r50.py',
    '_base_/datasets/kinetics400.py',
    '_base_/schedules/lars_b104_100e.py',
    '_base_/teachers/clip_vit_b16.py',
    '_base_/default_runtime.py',
]
model = dict(teacher=_base_.teacher)
