from .accuracy import ReadableAccMetric
from .knn import knn_classify, nearest_neighbors, weighted_vote
from .linear_metric import LinearOnFeaturesMetric
from .metrics import KNNMetric

__all__ = ['KNNMetric', 'LinearOnFeaturesMetric', 'ReadableAccMetric', 'knn_classify', 'nearest_neighbors',
           'weighted_vote']
