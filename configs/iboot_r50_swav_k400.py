"""The headline recipe with SwAV ResNet-50-w2 as the teacher."""
_base_ = [
    '_base_/models/iboot_slow_r50.py',
    '_base_/datasets/kinetics400.py',
    '_base_/schedules/lars_b416_200e.py',
    '_base_/teachers/swav_r50w2.py',
    '_base_/default_runtime.py',
]
model = dict(teacher=_base_.teacher)
# A ReLU network's features are non-negative and share a strong mean direction, which alone satisfies a plain cosine.
# Beyond the paper: take the targets' running mean and standard deviation out of them.
# model['target_norm'] = 'standardize'
