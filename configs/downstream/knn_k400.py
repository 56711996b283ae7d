"""Weighted k-NN on Kinetics-400: k = 20, one clip of each video. Paper: 56.2 top-1 (Table 6).

The temperature is DINO's, since the paper names none. Other values: --cfg-options test_evaluator.k=10
"""
_base_ = ['./_base_/frozen_features.py', './_base_/datasets/k400_gallery_query.py']
test_evaluator = dict(type='KNNMetric', k=20, temperature=.07)
