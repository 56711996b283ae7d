"""Video retrieval: whether a query finds videos of its class."""

from collections.abc import Sequence

from mmaction.registry import METRICS

from ...ranges import above_zero, at_least
from .base import label_names, lazy_features, split_roles, stack_labels
from .feature_metric import FeatureMetric, result_key
from .knn import cap_k, nearest_neighbors


@METRICS.register_module()
class VideoRetrievalMetric(FeatureMetric):
    """R@k: the share of queries with a video of their class among the k nearest of the gallery, by cosine.

    The usual protocol of UCF101 and HMDB51, in which test videos search the training videos; the iBoot paper has no
    figures of it. Results: ``retrieval/R@<k>`` for a single unnamed label, ``<name>/retrieval/R@<k>`` for each named
    one, in [0, 1].

    Example:
        >>> test_evaluator = dict(type='VideoRetrievalMetric', topk=(1, 5, 10, 20))

    Args:
        topk: The numbers k; beyond a smaller gallery, all of it counts as found.
        memory: GiB to work in.
        device: Where to search, ``'auto'`` for a GPU if there is one.
        collect_device: As in mmengine's ``BaseMetric``.
        prefix: As in mmengine's ``BaseMetric``.

    Raises:
        ValueError: if the videos have no labels.
    """

    title = 'Retrieval'

    def __init__(self, topk: Sequence[int] = (1, 5, 10, 20), memory: float = 4., device: str = 'auto',
                 collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)
        at_least(1, 'VideoRetrievalMetric', topk=min(topk, default=0))
        above_zero('VideoRetrievalMetric', memory=memory)
        self.topk = tuple(topk)
        self.limits = dict(memory=memory, device=device)

    def score(self, samples: list[dict]) -> dict[str, float]:
        """See the class."""
        gallery, queries = split_roles(samples)
        names = label_names(samples)
        if not names:
            raise ValueError(f"retrieval needs labels, but {gallery[0]['filename']} has none: give lists of lines "
                             "'path label'")
        _, indices = nearest_neighbors(lazy_features(queries), lazy_features(gallery),
                                       cap_k(max(self.topk), len(gallery)), **self.limits)
        metrics = {}
        for name in names:
            hits = stack_labels(gallery, name)[indices] == stack_labels(queries, name)[:, None]  # (Q, K)
            for k in self.topk:
                metrics[result_key(name, f'retrieval/R@{k}')] = hits[:, :k].any(1).float().mean().item()
        return metrics
