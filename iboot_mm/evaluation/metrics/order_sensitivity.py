"""What a video network knows beyond its frames: its features when their order changes."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmaction.registry import METRICS
from torch import Tensor

from ...datasets.transforms.reordering import ORDERS
from .base import KNNMetric, label_names, lazy_features, split_roles, stack_labels
from .feature_metric import result_key
from .knn import cap_k, count_classes, nearest_neighbors, weighted_vote


@METRICS.register_module()
class OrderSensitivityMetric(KNNMetric):
    """k-NN accuracy and change of the feature when a query's frames are reversed, shuffled or frozen to one.

    The queries' views come from :class:`~iboot_mm.datasets.transforms.ReorderFrames` with the same ``orders``; the
    gallery is played forward, and queries of every order are looked up in it. A network that looks at frames one by one
    and averages them gives the same feature forward, reversed and shuffled. Results, all of the queries:

    * ``order/knn_top1_<order>``, in [0, 1], as ``<name>/order/...`` for named labels; none without labels;
    * ``order/change_<order>``: mean of ``1 - cos(feature, forward feature)``, in [0, 2];
    * ``order/change_other_video``: the mean of ``1 - cos`` between the forward features of two queries, the scale
      against which to read a change; none of a single query.

    Args:
        orders: As in ``ReorderFrames``; ``'forward'`` must be among them.
        **kwargs: As in :class:`~iboot_mm.evaluation.KNNMetric`.

    Raises:
        ValueError: ``orders`` lack ``'forward'``.
    """

    title = 'Order sensitivity'

    def __init__(self, orders: Sequence[str] = ORDERS, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if 'forward' not in orders:
            raise ValueError(f"OrderSensitivityMetric compares with 'forward', which is not in orders={list(orders)}")
        self.orders = tuple(orders)

    def score(self, samples: list[dict]) -> dict[str, float]:
        """See the class.

        Raises:
            ValueError: no gallery, no query, or a query's views do not divide into the orders; names a file.
        """
        gallery, queries = split_roles(samples)
        names, by_order, metrics = label_names(samples), self._by_order(queries), {}
        k = cap_k(self.k, len(gallery)) if names else 0
        for order, features in by_order.items() if names else ():
            cosines, indices = nearest_neighbors(features, lazy_features(gallery), k, **self.limits)
            for name in names:
                labels = stack_labels(gallery, name)
                guess = weighted_vote(cosines, labels[indices], count_classes(labels), self.temperature).argmax(1)
                accuracy = (guess == stack_labels(queries, name)).float().mean().item()
                metrics[result_key(name, f'order/knn_top1_{order}')] = accuracy
        forward = F.normalize(by_order['forward'], dim=1)
        for order, features in by_order.items():
            distances = 1 - F.cosine_similarity(features, forward, dim=1)
            metrics[f'order/change_{order}'] = distances.mean().clamp(min=0).item()
        if pairs := len(forward) * (len(forward) - 1):
            metrics['order/change_other_video'] = 1 - ((forward.sum(0).square().sum() - len(forward)) / pairs).item()
        return metrics

    def _by_order(self, queries: list[dict]) -> dict[str, Tensor]:
        """Features ``(N, D)`` of each order, averaged over its views."""
        for sample in queries:
            if len(sample['view_features']) % len(self.orders):
                raise ValueError(f"{sample['filename']} has {len(sample['view_features'])} views, which do not divide "
                                 f"into {len(self.orders)} orders: put dict(type='ReorderFrames') "
                                 "between CropViews and PackViews")
        views = torch.stack([s['view_features'] for s in queries]).unflatten(1, (len(self.orders), -1))  # (N, O, V, D)
        return dict(zip(self.orders, views.mean(2).unbind(1), strict=True))
