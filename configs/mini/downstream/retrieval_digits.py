"""configs/downstream/retrieval_ucf101.py at mini size: retrieval of moving digits."""
_base_ = './_base_/features_digits.py'
test_evaluator = dict(type='VideoRetrievalMetric', topk=(1, 5, 10, 20))
