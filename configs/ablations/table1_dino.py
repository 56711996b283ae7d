"""Table 1: DINO ViT as the teacher; no temporal pooling. Paper: k-NN 48.0, HMDB51 59.6, UCF101 89.6."""
_base_ = [
    '../_base_/models/iboot_slow_r50.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/schedules/lars_b104_100e.py',
    '../_base_/teachers/dino_vit_b16.py',
    '../_base_/default_runtime.py',
]
model = dict(teacher=_base_.teacher, temporal_pool=False)
