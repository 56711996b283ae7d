"""Table 1: DeiT ViT, supervised, as the teacher; no temporal pooling. Paper: k-NN 45.6, HMDB51 60.6, UCF101 88.8."""
_base_ = [
    '../_base_/models/iboot_slow_r50.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/schedules/lars_b104_100e.py',
    '../_base_/teachers/deit_vit_b16.py',
    '../_base_/default_runtime.py',
]
model = dict(teacher=_base_.teacher, temporal_pool=False)
