"""What checkpoints are measured by: metrics, protocols and tasks on images."""

from .metrics.accuracy import ReadableAccMetric
from .metrics.base import KNNMetric
from .metrics.detection_metric import ActionDetectionMetric
from .metrics.knn import knn_classify, nearest_neighbors, weighted_vote
from .metrics.linear_metric import LinearOnFeaturesMetric
from .metrics.order_sensitivity import OrderSensitivityMetric
from .metrics.playback_rate import PlaybackRateMetric
from .metrics.retrieval import VideoRetrievalMetric
from .metrics.zero_shot import ZeroShotMetric

__all__ = ['ActionDetectionMetric', 'KNNMetric', 'LinearOnFeaturesMetric', 'OrderSensitivityMetric',
           'PlaybackRateMetric', 'ReadableAccMetric', 'VideoRetrievalMetric', 'ZeroShotMetric', 'knn_classify',
           'nearest_neighbors', 'weighted_vote']
