from ..stores.features import FeatureStore
from .accuracy import ReadableAccMetric
from .knn import knn_classify, nearest_neighbors, weighted_vote
from .linear_metric import LinearOnFeaturesMetric
from .metrics import KNNMetric
from .order_sensitivity import OrderSensitivityMetric
from .playback_rate import PlaybackRateMetric
from .retrieval import VideoRetrievalMetric
from .zero_shot import ZeroShotMetric

__all__ = ['FeatureStore', 'KNNMetric', 'LinearOnFeaturesMetric', 'OrderSensitivityMetric', 'PlaybackRateMetric',
           'ReadableAccMetric', 'VideoRetrievalMetric', 'ZeroShotMetric', 'knn_classify', 'nearest_neighbors',
           'weighted_vote']
