# A student of CLIP ViT-B/16 (configs/_base_/teachers/clip_vit_b16.py) and the text tower of the same model. Needs a
# checkpoint with W; target_norm and temporal_pool must be those of its training. Not in the paper.
_base_ = './frozen_features.py'
model = dict(type='JointSpaceEncoder', feature_dim=2048, width=512, target_norm='none', temporal_pool=True)
test_evaluator = dict(
    type='ZeroShotMetric',
    text=dict(type='OpenCLIPText', model='ViT-B-16', pretrained='openai'))
