"""Table 1: SwAV ResNet-50-w2 as the teacher; no temporal pooling. Paper: k-NN 38.8, HMDB51 57.4, UCF101 89.0."""
_base_ = [
    '../_base_/models/iboot_slow_r50.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/schedules/lars_b104_100e.py',
    '../_base_/teachers/swav_r50w2.py',
    '../_base_/default_runtime.py',
]
model = dict(teacher=_base_.teacher, temporal_pool=False)
