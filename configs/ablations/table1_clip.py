"""Table 1: CLIP ViT-B/16 as the teacher; no temporal pooling. Paper: k-NN 53.1, HMDB51 66.5, UCF101 92.6."""
_base_ = [
    '../_base_/models/iboot_slow_r50.py',
    '../_base_/datasets/kinetics400.py',
    '../_base_/schedules/lars_b104_100e.py',
    '../_base_/teachers/clip_vit_b16.py',
    '../_base_/default_runtime.py',
]
model = dict(teacher=_base_.teacher, temporal_pool=False)
