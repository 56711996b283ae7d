"""Slow R50 from scratch on all labels of Kinetics-400, 10 x 3 views: what both papers compare with in their Table 10.

The large-scale study (Feichtenhofer et al., 2021, section 4) has 74.7 top-1 for 200 epochs (400: 74.3, 800: 72.7) by
"default settings" of SlowFast. What they are is PySlowFast's file for this network (SLOW_8x8_R50.yaml): learning rate
.1 for 64 videos, 34 epochs of warm-up from .01, half cosine, weight decay 1e-4 but for BN, Nesterov, dropout .5, last
BN of each block from 0. Its 196 epochs are the study's 200 here; BN over all GPUs, and its moving averages in the test,
are **our choices** (PySlowFast: over one GPU, and exact statistics of 200 batches).

What it wrote starts the trainings of the papers' other supervised columns: tools/evaluate.py CKPT --protocols
ucf101,hmdb51,ssv2.
"""
_base_ = [
    './_base_/models/slow_r50.py',
    './_base_/datasets/k400.py',
    './_base_/schedules/supervised_b64_200e.py',
    './_base_/runtime.py',
]
model = dict(backbone=dict(zero_init_residual=True))
