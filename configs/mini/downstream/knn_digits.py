"""configs/downstream/knn_k400.py at mini size: k-NN of moving digits."""
_base_ = './_base_/features_digits.py'
test_evaluator = dict(type='KNNMetric', k=20, temperature=.07)
