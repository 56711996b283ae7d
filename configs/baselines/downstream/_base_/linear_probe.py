# A linear classifier on frozen weights; BN as in PySlowFast takes each batch's statistics, the study does not say.
_base_ = '../../../downstream/_base_/models/slow_r50.py'
model = dict(type='LinearProbe', bn='adapting', cls_head=dict(dropout_ratio=0.))
