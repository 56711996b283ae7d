from .knn import knn_classify, nearest_neighbors, weighted_vote
from .metrics import KNNMetric

__all__ = ['KNNMetric', 'knn_classify', 'nearest_neighbors', 'weighted_vote']
