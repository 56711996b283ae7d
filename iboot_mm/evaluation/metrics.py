"""Metrics on the features of gallery and query videos: their common base, and k-NN."""

from abc import abstractmethod
from collections.abc import Sequence

import torch
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from .knn import LazyStack, chunk_sizes, nearest_neighbors, unit_rows, weighted_vote


class FeatureMetric(BaseMetric):
    """Base of the metrics on features of gallery and query videos, in one pass over a concatenation of both.

    During training and with mmengine's ``TestLoop`` the evaluator gathers the features of all processes and cuts the
    repeated samples with which the sampler fills the last round; with
    :class:`~iboot_mm.engine.feature_loop.FeatureLoop` they come from the disk. Videos that stand in for unreadable ones
    are left out and counted in the log. A subclass implements :meth:`score`.

    Attributes:
        title: What the log and the messages call it.
        keeps: ``'feature'``, the mean over views ``(D,)``, or ``'view_features'`` ``(V, D)``.
    """

    title: str
    keeps = 'feature'

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Keeps of each sample its feature, role, labels and name."""
        for sample in data_samples:
            self.results.append({
                self.keeps: sample[self.keeps].detach().float().cpu(),
                'role': sample.get('role'),
                'labels': dict(sample.get('labels') or {}),
                'filename': sample.get('filename', ''),
                'replaced': bool(sample.get('replaced'))})

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Scores the gathered samples.

        Raises:
            ValueError: no gallery, no query, a sample without its role or with fewer labels than others, or features
                that are not finite; names a file.
        """
        kept = [sample for sample in results if not sample['replaced']]
        if len(kept) < len(results):
            print_log(f'{self.title}: {len(results) - len(kept)} of {len(results)} videos could not be read and are '
                      'left out.', 'current', level=30)
        broken = next((sample['filename'] for sample in kept if not sample[self.keeps].isfinite().all()), None)
        if broken is not None:
            raise ValueError(f'the network gives NaN or infinite features, first for {broken}: its weights are broken')
        label_names(kept)
        return self.score(*split_roles(kept))

    @abstractmethod
    def score(self, gallery: list[dict], queries: list[dict]) -> dict[str, float]:
        """Figures by name of readable videos, all with the same labels."""


@METRICS.register_module()
class KNNMetric(FeatureMetric):
    """Weighted k-NN of query videos in a gallery of labelled ones.

    Exact and in bounded memory, see :func:`~iboot_mm.evaluation.knn.nearest_neighbors`. Results: ``knn_top1`` for a
    single unnamed label, ``<name>/knn_top1`` for each named one, both in [0, 1], and ``feature_spread`` (0: collapsed,
    see :func:`~iboot_mm.models.losses.spread`). Without labels only ``feature_spread``.

    Example:
        >>> val_evaluator = dict(type='KNNMetric', k=20, temperature=.07)
        >>> val_dataset = dict(type='ConcatDataset', datasets=[
        ...     dict(type='VideoFolder', root=..., ann_file='train.txt', role='gallery', ...),
        ...     dict(type='VideoFolder', root=..., ann_file='test.txt', role='query', ...)])

    Args:
        k: Neighbours that vote.
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
        self.k, self.temperature = k, temperature
        self.limits = dict(memory=memory, device=device)

    def score(self, gallery: list[dict], queries: list[dict]) -> dict[str, float]:
        """See the class."""
        metrics = {}
        names = label_names(gallery)
        if names:
            cosines, indices = nearest_neighbors(lazy_features(queries), lazy_features(gallery), self.k, **self.limits)
        for name in names:
            labels = stack_labels(gallery, name)
            scores = weighted_vote(cosines, labels[indices], int(labels.max()) + 1, self.temperature)
            metrics[figure_name(name, 'knn_top1')] = accuracy(scores.argmax(1), stack_labels(queries, name))
        metrics['feature_spread'] = spread_in_chunks(lazy_features(gallery + queries), self.limits['memory'])
        return metrics


def spread_in_chunks(features: LazyStack, memory: float) -> float:
    """:func:`~iboot_mm.models.losses.spread` of features ``(N, D)`` in ``memory`` GiB."""
    rows = chunk_sizes(1, *features.shape, memory)[1]
    sums = [unit_rows(features, start, rows).sum(0, dtype=torch.float64) for start in range(0, len(features), rows)]
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
    names = list(samples[0]['labels']) if samples else []
    for sample in samples:
        if set(sample['labels']) != set(names):
            raise ValueError(f"{samples[0]['filename']} has labels {names}, but {sample['filename']} has "
                             f"{list(sample['labels'])}: give all videos that are compared the same labels")
    return names


def figure_name(label: str, figure: str) -> str:
    """What a figure is called in the results: a single unnamed label needs no name."""
    return figure if label == 'label' else f'{label}/{figure}'


def accuracy(guess: Tensor, truth: Tensor) -> float:
    """Share of equal classes ``(N,)``, in [0, 1]."""
    return (guess == truth).float().mean().item()


def lazy_features(samples: list[dict]) -> LazyStack:
    """Features ``(N, D)``."""
    return LazyStack([sample['feature'] for sample in samples])


def stack_labels(samples: list[dict], name: str) -> Tensor:
    """Classes ``(N,)`` of one label."""
    return torch.tensor([sample['labels'][name] for sample in samples])
