"""k-NN accuracy as a metric of mmengine's evaluator: during training, and by ``tools/test.py``."""

from collections.abc import Sequence

import torch
from mmaction.registry import METRICS
from mmengine.device import get_device
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from ..models.losses import spread
from .knn import knn_classify


@METRICS.register_module()
class KNNMetric(BaseMetric):
    """Weighted k-NN of query videos in a gallery of labelled ones, one pass over a concatenation of both.

    The evaluator gathers the features of all processes and cuts the repeated samples with which the sampler fills the
    last round; exact, see :func:`~iboot_mm.evaluation.knn.knn_classify`. Videos that stand in for unreadable ones are
    left out and counted in the log. Results: ``knn_top1`` for a single unnamed label, ``<name>/knn_top1`` for each
    named one, both in [0, 1], and ``feature_spread`` (0: collapsed, see :func:`~iboot_mm.models.losses.spread`).
    Without labels only ``feature_spread``.

    Example:
        >>> val_evaluator = dict(type='KNNMetric', k=20, temperature=.07)
        >>> val_dataset = dict(type='ConcatDataset', datasets=[
        ...     dict(type='VideoFolder', root=..., ann_file='train.txt', role='gallery', ...),
        ...     dict(type='VideoFolder', root=..., ann_file='test.txt', role='query', ...)])

    Args:
        k: Neighbours that vote.
        temperature: Of the vote's weights.
        query_chunk: Queries at a time.
        gallery_chunk: Gallery samples at a time.
        collect_device: As in mmengine's ``BaseMetric``.
        prefix: As in mmengine's ``BaseMetric``.
    """

    def __init__(self, k: int = 20, temperature: float = .07, query_chunk: int = 1024, gallery_chunk: int = 16384,
                 collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)
        self.vote = dict(k=k, temperature=temperature, query_chunk=query_chunk, gallery_chunk=gallery_chunk)

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Keeps of each sample its feature ``(D,)``, role, labels and name."""
        for sample in data_samples:
            self.results.append(dict(
                feature=sample['feature'].detach().float().cpu(),
                role=sample.get('role'),
                labels=dict(sample.get('labels') or {}),
                filename=sample.get('filename', ''),
                replaced=bool(sample.get('replaced'))))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Scores the gathered samples.

        Raises:
            ValueError: no gallery, no query, a sample without its role or with fewer labels than others, or features
                that are not finite; names a file.
        """
        kept = [r for r in results if not r['replaced']]
        if len(kept) < len(results):
            print_log(f'k-NN: {len(results) - len(kept)} of {len(results)} videos could not be read and are left out.',
                      'current', level=30)
        gallery, queries = split_roles(kept)
        features = torch.stack([r['feature'] for r in kept])
        if not features.isfinite().all():
            broken = next(r['filename'] for r, f in zip(kept, features) if not f.isfinite().all())
            raise ValueError(f'the network gives NaN or infinite features, first for {broken}: its weights are broken')
        metrics = {}
        device = get_device()
        query_features, gallery_features = stack_features(queries).to(device), stack_features(gallery).to(device)
        for name in label_names(kept):
            guess = knn_classify(query_features, gallery_features, stack_labels(gallery, name), **self.vote).cpu()
            key = 'knn_top1' if name == 'label' else f'{name}/knn_top1'
            metrics[key] = (guess == stack_labels(queries, name)).float().mean().item()
        metrics['feature_spread'] = spread(features).item()
        return metrics


def split_roles(samples: list[dict]) -> tuple[list[dict], list[dict]]:
    """Gallery and query samples.

    Raises:
        ValueError: a sample has no role, or no sample has one of the two.
    """
    parts = {'gallery': [], 'query': []}
    for sample in samples:
        if sample['role'] not in parts:
            raise ValueError(f"k-NN needs role='gallery' or role='query' on each val dataset, but {sample['filename']} "
                             f"has {sample['role']!r}")
        parts[sample['role']].append(sample)
    for role, part in parts.items():
        if not part:
            raise ValueError(f'k-NN has no readable {role} video: give a dataset with role={role!r} in val_dataloader '
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
            raise ValueError(f"k-NN: {samples[0]['filename']} has labels {names}, but {sample['filename']} has "
                             f"{list(sample['labels'])}: give all val videos the same labels")
    return names


def stack_features(samples: list[dict]) -> Tensor:
    """Features ``(N, D)``."""
    return torch.stack([s['feature'] for s in samples])


def stack_labels(samples: list[dict], name: str) -> Tensor:
    """Classes ``(N,)`` of one label."""
    return torch.tensor([s['labels'][name] for s in samples])
