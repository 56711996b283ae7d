"""Order sensitivity on UCF101, split 1: k-NN of test videos forward, reversed, shuffled and frozen to one frame.

The gallery is played forward, and its features are those of the other evaluations. Not in the paper.
"""
_base_ = ['./_base_/frozen_features.py', './_base_/datasets/ucf101_gallery_query.py']
_base_.test_dataloader.dataset.datasets[1].pipeline.insert(4, dict(type='ReorderFrames'))
test_evaluator = dict(type='OrderSensitivityMetric', k=20, temperature=.07)
