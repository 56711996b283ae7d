"""configs/downstream/linear_fast_k400.py at mini size: linear classifiers on stored features of moving digits."""
_base_ = './_base_/features_digits.py'
test_evaluator = dict(type='LinearOnFeaturesMetric', holdout=.1, epochs=100, batch_size=64, standardize=True)
