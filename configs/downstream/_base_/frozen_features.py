# Evaluation of frozen features, a test run: tools/test.py CONFIG CHECKPOINT. Any checkpoint with this backbone fits.
_base_ = '../../_base_/default_runtime.py'
custom_hooks = [dict(type='UnreadableVideosHook', max_share=.05)]

model = dict(type='VideoEncoder', backbone=dict(type='SlowResNet', depth=50))

# Each video is encoded once: a stopped run goes on where it was, and all evaluations of a network share its features.
test_cfg = dict(type='FeatureLoop', store='work_dirs/features')
