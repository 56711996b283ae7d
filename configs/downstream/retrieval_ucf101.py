"""Video retrieval on UCF101, split 1: R@k of test videos among the training videos, by cosine. The paper has none."""
_base_ = ['./_base_/frozen_features.py', './_base_/datasets/ucf101_gallery_query.py']
test_evaluator = dict(type='VideoRetrievalMetric', topk=(1, 5, 10, 20))
