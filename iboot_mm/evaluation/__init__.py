from .accuracy import ReadableAccMetric
from .knn import knn_classify, nearest_neighbors, weighted_vote
from .metrics import KNNMetric

__all__ = ['KNNMetric', 'ReadableAccMetric', 'knn_classify', 'nearest_neighbors', 'weighted_vote']
