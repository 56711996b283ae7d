"""k-NN accuracy as a metric of mmengine's evaluator: during training, and by ``tools/test.py``."""

import torch
from mmaction.registry import METRICS
from torch import Tensor

from ...ranges import above_zero, at_least
from .feature_metric import FeatureMetric, result_key
from .knn import LazyStack, cap_k, chunk_sizes, count_classes, nearest_neighbors, unit_rows, weighted_vote


@METRICS.register_module()
class KNNMetric(FeatureMetric):
    """Weighted k-NN of query videos in a gallery of labelled ones, one pass over a concatenation of both.

    During training and in mmengine's ``TestLoop`` the evaluator gathers the features of all processes and cuts the
    repeated samples with which the sampler fills the last round; with
    :class:`~iboot_mm.engine.feature_loop.FeatureLoop` they come from the disk. Exact and in bounded memory, see
    :func:`~iboot_mm.evaluation.nearest_neighbors`; views of a video are averaged. Results: ``knn_top1`` for a
    single unnamed label, ``<name>/knn_top1`` for each named one, both in [0, 1], and ``feature_spread`` (0: collapsed,
    see :func:`~iboot_mm.models.losses.views.spread`). Without labels only ``feature_spread``.

    Example:
        >>> val_evaluator = dict(type='KNNMetric', k=20, temperature=.07)
        >>> val_dataset = dict(type='ConcatDataset', datasets=[
        ...     dict(type='VideoFolder', root=..., ann_file='train.txt', role='gallery', ...),
        ...     dict(type='VideoFolder', root=..., ann_file='test.txt', role='query', ...)])

    Args:
        k: Neighbours that vote; all of a smaller gallery.
        temperature: Of the vote's weights.
        memory: GiB to work in.
        device: Where to search, ``'auto'`` for a GPU if there is one.
        collect_device: As in mmengine's ``BaseMetric``.
        prefix: As in mmengine's ``BaseMetric``.
    """

    title = 'k-NN'

    def __init__(self, k: int = 20, temperature: float = .07, memory: float = 4., device: str = 'auto',
                 collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)
        at_least(1, type(self).__name__, k=k)
        above_zero(type(self).__name__, temperature=temperature, memory=memory)
        self.k, self.temperature = k, temperature
        self.limits = dict(memory=memory, device=device)

    def score(self, samples: list[dict]) -> dict[str, float]:
        """See the class.

        Raises:
            ValueError: no gallery, no query, a sample without its role or with other labels than others; names a file
                or what to set.
        """
        metrics = {result_key(name, 'knn_top1'): right.float().mean().item()
                   for name, right in self.verdicts(samples).items()}
        metrics['feature_spread'] = spread_in_chunks(lazy_features(samples), self.limits['memory'])
        return metrics

    def verdicts(self, samples: list[dict]) -> dict[str, Tensor]:
        """Whether the vote is right about each query ``(Q,)``, bool, in their order, for every label."""
        gallery, queries = split_roles(samples)
        names, verdicts = label_names(samples), {}
        if names:
            cosines, indices = nearest_neighbors(lazy_features(queries), lazy_features(gallery),
                                                 cap_k(self.k, len(gallery)), **self.limits)
        for name in names:
            labels, truth = stack_labels(gallery, name), stack_labels(queries, name)
            scores = weighted_vote(cosines, labels[indices], count_classes(labels), self.temperature)
            verdicts[name] = scores.argmax(1) == truth
        return verdicts


def spread_in_chunks(features: LazyStack, memory: float) -> float:
    """:func:`~iboot_mm.models.losses.views.spread` of features ``(N, D)`` in ``memory`` GiB."""
    rows = chunk_sizes(1, features.shape[0], features.shape[1], memory)[1]
    # Doubles only for the sums: torch would turn a whole part into doubles first.
    sums = [unit_rows(features, start, rows).sum(0).double() for start in range(0, len(features), rows)]
    return (1 - (sum(sums) / len(features)).square().sum()).clamp(min=0).sqrt().item()


def split_roles(samples: list[dict]) -> tuple[list[dict], list[dict]]:
    """Gallery and query samples.

    Raises:
        ValueError: a sample has no role, or no sample has one of the two.
    """
    parts = {'gallery': [], 'query': []}
    for sample in samples:
        if sample['role'] not in parts:
            raise ValueError(f"each data set that is compared needs role='gallery' or role='query', but "
                             f"{sample['filename']} has {sample['role']!r}")
        parts[sample['role']].append(sample)
    for role, part in parts.items():
        if not part:
            raise ValueError(f'there is no readable {role} video: give a dataset with role={role!r} in the dataloader '
                             'and check its list')
    return parts['gallery'], parts['query']


def label_names(samples: list[dict]) -> list[str]:
    """Names of the labels, which all samples must have alike; an empty list when nothing is labelled.

    Raises:
        ValueError: samples differ; names a file of each kind.
    """
    names = list(samples[0]['labels'])
    for sample in samples:
        if set(sample['labels']) != set(names):
            raise ValueError(f"{samples[0]['filename']} has labels {names}, but {sample['filename']} has "
                             f"{list(sample['labels'])}: give all videos that are compared the same labels")
    return names


def lazy_features(samples: list[dict]) -> LazyStack:
    """Features ``(N, D)``, averaged over the views of each video."""
    return LazyStack([sample['view_features'] for sample in samples])


def stack_labels(samples: list[dict], name: str) -> Tensor:
    """Classes ``(N,)`` of one label."""
    return torch.tensor([sample['labels'][name] for sample in samples])
