from .accuracy import ReadableAccMetric
from .knn import knn_classify, nearest_neighbors, weighted_vote
from .linear_metric import LinearOnFeaturesMetric
from .metrics import KNNMetric
from .order_sensitivity import OrderSensitivityMetric

__all__ = ['KNNMetric', 'LinearOnFeaturesMetric', 'OrderSensitivityMetric', 'ReadableAccMetric', 'knn_classify',
           'nearest_neighbors', 'weighted_vote']
