"""Weighted k-nearest-neighbour vote on frozen features, exact and in bounded memory.

The protocol of iBoot, section 4.2 (k = 20), with the vote of DINO (https://arxiv.org/abs/2104.14294;
temperature .07): each of the k nearest gallery samples votes for its class with weight ``exp(cosine / temperature)``.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.device import get_device
from mmengine.logging import print_log
from torch import Tensor

from ...datasets.parallel import show_progress

MOST_CLASSES = 100_000  # of few samples


class LazyStack:
    """Features of N videos as a matrix ``(N, D)`` of which only the rows asked for are put together.

    Args:
        views: Of each video the features of its views ``(V, D)``, which are averaged; those of a
            :class:`~iboot_mm.stores.features.FeatureStore` stay on the disk until then.
    """

    def __init__(self, views: Sequence[Tensor]) -> None:
        self.views = views
        self.shape = (len(views), *(views[0].shape[1:] if len(views) else ()))

    def __len__(self) -> int:
        return len(self.views)

    def __getitem__(self, part: slice) -> Tensor:
        return torch.stack([views[0] if len(views) == 1 else views.mean(0) for views in self.views[part]])


Features = Tensor | LazyStack
QUERY_ROWS, GALLERY_ROWS = 1024, 8192  # whose similarities are made at a time: 32 MiB


@torch.no_grad()
def nearest_neighbors(queries: Features, gallery: Features, k: int, memory: float = 4.,
                      device: str = 'auto') -> tuple[Tensor, Tensor]:
    """The k gallery samples with the highest cosine similarity to each query, the nearest first; exact.

    Args:
        queries: Features ``(Q, D)``, of any length; normalised here.
        gallery: Features ``(G, D)``. Read in parts, each as it is searched.
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
    found = [_search(unit_rows(queries, start, query_rows, device), gallery, k, gallery_rows)
             for start in range(0, len(queries), query_rows)]
    cosines, indices = zip(*found, strict=True)
    return torch.cat(cosines).cpu(), torch.cat(indices).cpu()


def cap_k(k: int, num_gallery: int) -> int:
    """k, or the size of a smaller gallery, of which a warning tells: a small data set shall not stop a run."""
    if k > num_gallery:
        print_log(f'k={k} nearest neighbours were asked for, but the gallery holds {num_gallery} readable videos: '
                  f'k={num_gallery} is taken', 'current', level=30)
    return min(k, num_gallery)


def _search(queries: Tensor, gallery: Features, k: int, rows: int) -> tuple[Tensor, Tensor]:
    """Cosines and indices ``(Q, k)`` of the nearest, for normalised queries ``(Q, D)``; so many gallery rows a time."""
    best = queries.new_full((len(queries), k), -math.inf)
    indices = torch.zeros_like(best, dtype=torch.long)
    # Written over and over: fresh memory for each product would cost as much time as the search in it.
    buffer = queries.new_empty(min(QUERY_ROWS, len(queries)) * rows)
    starts = range(0, len(gallery), rows)
    for start in show_progress(starts, len(starts), 'parts of the gallery searched'):
        part = unit_rows(gallery, start, rows, queries.device)
        for some in range(0, len(queries), QUERY_ROWS):
            these = slice(some, some + QUERY_ROWS)
            few = queries[these]
            cosines = torch.mm(few, part.T, out=buffer[:len(few) * len(part)].view(len(few), len(part)))
            found, where = cosines.topk(min(k, len(part)), dim=1)
            best[these], order = torch.cat([best[these], found], 1).topk(k, dim=1)
            indices[these] = torch.cat([indices[these], where + start], 1).gather(1, order)
        del part  # before the next one is made
    return best, indices


def unit_rows(features: Features, start: int, count: int, device: str | torch.device = 'cpu') -> Tensor:
    """Rows ``start`` to ``start + count`` of a feature matrix on a device, each divided by its length."""
    return F.normalize(features[start:start + count].to(device).float(), dim=1)


def chunk_sizes(num_queries: int, num_gallery: int, width: int, memory: float) -> tuple[int, int]:
    """Rows of queries and of gallery at a time, q and g, such that the work fits into ``memory`` GiB.

    The queries get up to half, so that the gallery is nearly always read once. Counted are two copies of each part (as
    read and normalised) and of the similarities of QUERY_ROWS queries (torch's ``topk`` may copy):
    ``8 (q D + g D + min(q, QUERY_ROWS) g)`` bytes. Of the gallery no more than GALLERY_ROWS are taken: a larger part
    is no faster.
    """
    room = memory * 2**30 / 8
    query_rows = max(1, min(num_queries, int(room / (2 * width))))
    rest = int((room - query_rows * width) / (width + min(query_rows, QUERY_ROWS)))
    return query_rows, max(1, min(num_gallery, GALLERY_ROWS, rest))


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
    return weighted_vote(similarities, gallery_labels[indices], count_classes(gallery_labels), temperature).argmax(1)


def count_classes(labels: Tensor) -> int:
    """One more than the highest of labels ``(N,)``: the places that a vote or a head has.

    Raises:
        ValueError: that is far more than there are samples, and would take the memory of as many classes.
    """
    highest = int(labels.max())
    if highest > max(100 * len(labels), MOST_CLASSES):
        raise ValueError(f'{len(labels)} labels name classes up to {highest}: number the classes of the list from 0 '
                         'without large gaps')
    return highest + 1


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
