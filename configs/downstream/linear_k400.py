"""Linear classification on frozen features of Kinetics-400, 10 x 3 views. Paper's headline: 71.8 top-1.

The paper does not say what BN does, and its framework, PySlowFast, freezes weights alone: there BN takes each batch's
statistics, as in linear_k400_adapting_bn.py. Here the network is as frozen as for k-NN. Name the variant with a figure.
"""
_base_ = [
    './_base_/models/slow_r50.py',
    './_base_/datasets/k400.py',
    './_base_/schedules/linear_b64_100e.py',
    './_base_/runtime.py',
]
# Two choices of ours where the papers are silent: BN keeps the statistics that it has learned, and no dropout.
model = dict(type='LinearProbe', bn='frozen', cls_head=dict(dropout_ratio=0.))
