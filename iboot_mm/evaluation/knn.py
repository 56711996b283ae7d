"""Weighted k-nearest-neighbour vote on frozen features, exact and in bounded memory.

The protocol of iBoot's section 4.1 (k = 20), with the vote of DINO (https://arxiv.org/abs/2104.14294, section 4.1;
temperature .07): each of the k nearest gallery samples votes for its class with weight ``exp(cosine / temperature)``.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.device import get_device
from torch import Tensor

from ..datasets.parallel import show_progress


class LazyStack:
    """Features of N videos as a matrix ``(N, D)`` of which only the rows asked for are put together.

    Args:
        views: Of each video the features of its views ``(V, D)``, which are averaged; those of a
            :class:`~iboot_mm.evaluation.feature_store.FeatureStore` stay on the disk until then.
    """

    def __init__(self, views: Sequence[Tensor]) -> None:
        self.views = views
        self.shape = (len(views), *(views[0].shape[1:] if len(views) else ()))

    def __len__(self) -> int:
        return len(self.views)

    def __getitem__(self, part: slice) -> Tensor:
        return torch.stack([views.mean(0) for views in self.views[part]])


Features = Tensor | LazyStack


def nearest_neighbors(queries: Features, gallery: Features, k: int, memory: float = 4.,
                      device: str = 'auto') -> tuple[Tensor, Tensor]:
    """The k gallery samples with the highest cosine similarity to each query, the nearest first; exact.

    Args:
        queries: Features ``(Q, D)``, of any length; normalised here.
        gallery: Features ``(G, D)``. Neither matrix is ever held whole, unless ``memory`` has room for it.
        k: Neighbours.
        memory: GiB to work in, besides what was given and what is returned.
        device: Where to compute: ``'auto'`` (a GPU if there is one), ``'cpu'``, ``'cuda:1'``, ...

    Returns:
        Cosines ``(Q, k)``, float32, and gallery indices ``(Q, k)``, int64, both on the CPU.

    Raises:
        ValueError: empty gallery or queries, unlike widths, a k that is under 1 or beyond the gallery, no memory.
    """
    _check(queries, gallery, k, memory)
    device = get_device() if device == 'auto' else device
    query_rows, gallery_rows = chunk_sizes(len(queries), len(gallery), queries.shape[1], memory)
    best = torch.full((len(queries), k), -math.inf, device=device)
    indices = torch.zeros(len(queries), k, dtype=torch.long, device=device)
    starts = range(0, len(gallery), gallery_rows)  # the outer loop: the larger matrix is read once
    for start in show_progress(starts, len(starts), 'parts of the gallery searched'):
        # No name here holds on to the part: the next one is made when it is gone.
        _look_through(unit_rows(gallery, start, gallery_rows, device), start, queries, query_rows, best, indices)
    return best.cpu(), indices.cpu()


def _look_through(part: Tensor, start: int, queries: Features, query_rows: int, best: Tensor, indices: Tensor) -> None:
    """Takes what is nearest in a part of the gallery into ``best`` and ``indices`` ``(Q, k)``."""
    for begin in range(0, len(queries), query_rows):
        rows, k = slice(begin, begin + query_rows), best.shape[1]
        found, where = (unit_rows(queries, begin, query_rows, part.device) @ part.T).topk(min(k, len(part)), dim=1)
        best[rows], order = torch.cat([best[rows], found], 1).topk(k, dim=1)
        indices[rows] = torch.cat([indices[rows], where + start], 1).gather(1, order)


def unit_rows(features: Features, start: int, count: int, device: str | torch.device = 'cpu') -> Tensor:
    """Rows ``start`` to ``start + count`` of a feature matrix on a device, each divided by its length."""
    return F.normalize(features[start:start + count].to(device).float(), dim=1)


def chunk_sizes(num_queries: int, num_gallery: int, width: int, memory: float) -> tuple[int, int]:
    """Rows of queries and of gallery at a time, q and g, such that the work fits into ``memory`` GiB.

    Counted are two copies of each part (as read and normalised) and of their similarities (torch's ``topk`` may copy):
    ``8 (q D + g D + q g)`` bytes. That is solved for q = g; what a side has no use for goes to the other.
    """
    room = memory * 2**30 / 8
    even = int(math.sqrt(width**2 + room) - width)
    query_rows = max(1, min(num_queries, even))
    gallery_rows = max(1, min(num_gallery, int((room - query_rows * width) / (width + query_rows))))
    return max(1, min(num_queries, int((room - gallery_rows * width) / (width + gallery_rows)))), gallery_rows


def weighted_vote(similarities: Tensor, neighbor_labels: Tensor, num_classes: int, temperature: float = .07) -> Tensor:
    """Scores of all classes, ``score_c = sum_{i: label_i = c} exp(similarity_i / temperature)``.

    Args:
        similarities: Cosines of the neighbours ``(Q, k)``.
        neighbor_labels: Their classes ``(Q, k)``, int64 in [0, num_classes).
        num_classes: Number of classes C.
        temperature: Positive; small values listen to the nearest alone.

    Returns:
        Scores ``(Q, C)``, float32; where they would be beyond it, all scores of a query share a smaller factor.
    """
    exponents = similarities.float() / temperature
    beyond = (exponents.amax(1, keepdim=True) - 80).clamp(min=0)  # float32 ends at exp(88), and k votes are summed
    weights = (exponents - beyond).exp()
    scores = weights.new_zeros(len(weights), num_classes)
    return scores.scatter_add_(1, neighbor_labels, weights)


def knn_classify(queries: Features, gallery: Features, gallery_labels: Tensor, k: int = 20, temperature: float = .07,
                 **limits: object) -> Tensor:
    """The class that the weighted vote gives each query.

    Args:
        queries: Features ``(Q, D)``.
        gallery: Features ``(G, D)``.
        gallery_labels: Classes ``(G,)``, int64, 0 or more.
        k: Neighbours that vote.
        temperature: See :func:`weighted_vote`.
        **limits: ``memory`` and ``device`` of :func:`nearest_neighbors`.

    Returns:
        Classes ``(Q,)``, int64.
    """
    similarities, indices = nearest_neighbors(queries, gallery, k, **limits)
    return weighted_vote(similarities, gallery_labels[indices], int(gallery_labels.max()) + 1, temperature).argmax(1)


def _check(queries: Features, gallery: Features, k: int, memory: float) -> None:
    for name, features in (('gallery', gallery), ('queries', queries)):
        if len(features.shape) != 2 or not len(features):
            raise ValueError(f'k-NN needs a feature matrix (N, D) with N > 0 for the {name}, not one of shape '
                             f'{tuple(features.shape)}')
    if queries.shape[1] != gallery.shape[1]:
        raise ValueError(f'k-NN compares features of one network, but the queries have width {queries.shape[1]} and '
                         f'the gallery {gallery.shape[1]}')
    if not 1 <= k <= len(gallery):
        raise ValueError(f'k={k} nearest neighbours were asked for, but the gallery holds {len(gallery)} readable '
                         f'videos: set k to a number from 1 to {len(gallery)}')
    if memory <= 0:
        raise ValueError(f'memory={memory}: say how many GiB the search may work in')
