"""Weighted k-nearest-neighbour vote on frozen features, exact and in bounded memory.

The protocol of iBoot's section 4.1 (k = 20), with the vote of DINO (https://arxiv.org/abs/2104.14294, section 4.1;
temperature .07): each of the k nearest gallery samples votes for its class with weight ``exp(cosine / temperature)``.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def nearest_neighbors(queries: Tensor, gallery: Tensor, k: int, query_chunk: int = 1024,
                      gallery_chunk: int = 16384) -> tuple[Tensor, Tensor]:
    """The k gallery samples with the highest cosine similarity to each query, the nearest first.

    Never holds more than ``query_chunk x (gallery_chunk + k)`` similarities.

    Args:
        queries: Features ``(Q, D)``, of any length; normalised here.
        gallery: Features ``(G, D)``.
        k: Neighbours; all of the gallery when that is smaller.
        query_chunk: Queries at a time.
        gallery_chunk: Gallery samples at a time.

    Returns:
        Cosines ``(Q, k)``, float32, and gallery indices ``(Q, k)``, int64.

    Raises:
        ValueError: empty gallery or queries, unlike widths, or k < 1.
    """
    _check(queries, gallery, k)
    queries, gallery = F.normalize(queries.float(), dim=1), F.normalize(gallery.float(), dim=1)
    parts = [_running_topk(part, gallery, min(k, len(gallery)), gallery_chunk) for part in queries.split(query_chunk)]
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])


def _running_topk(queries: Tensor, gallery: Tensor, k: int, gallery_chunk: int) -> tuple[Tensor, Tensor]:
    best = queries.new_empty(len(queries), 0)
    indices = torch.empty(len(queries), 0, dtype=torch.long, device=queries.device)
    for start in range(0, len(gallery), gallery_chunk):
        part = queries @ gallery[start:start + gallery_chunk].T  # (Q, chunk)
        found, where = part.topk(min(k, part.shape[1]), dim=1)
        best, order = torch.cat([best, found], 1).topk(min(k, best.shape[1] + found.shape[1]), dim=1)
        indices = torch.cat([indices, where + start], 1).gather(1, order)
    return best, indices


def weighted_vote(similarities: Tensor, neighbor_labels: Tensor, num_classes: int, temperature: float = .07) -> Tensor:
    """Scores of all classes, ``score_c = sum_{i: label_i = c} exp(similarity_i / temperature)``.

    Args:
        similarities: Cosines of the neighbours ``(Q, k)``.
        neighbor_labels: Their classes ``(Q, k)``, int64 in [0, num_classes).
        num_classes: Number of classes C.
        temperature: Positive; small values listen to the nearest alone.

    Returns:
        Scores ``(Q, C)``, float32.
    """
    weights = (similarities.float() / temperature).exp()
    scores = weights.new_zeros(len(weights), num_classes)
    return scores.scatter_add_(1, neighbor_labels, weights)


def knn_classify(queries: Tensor, gallery: Tensor, gallery_labels: Tensor, k: int = 20, temperature: float = .07,
                 **chunks: int) -> Tensor:
    """The class that the weighted vote gives each query.

    Args:
        queries: Features ``(Q, D)``.
        gallery: Features ``(G, D)``.
        gallery_labels: Classes ``(G,)``, int64, 0 or more.
        k: Neighbours that vote.
        temperature: See :func:`weighted_vote`.
        **chunks: ``query_chunk`` and ``gallery_chunk`` of :func:`nearest_neighbors`.

    Returns:
        Classes ``(Q,)``, int64.
    """
    similarities, indices = nearest_neighbors(queries, gallery, k, **chunks)
    labels = gallery_labels.to(indices.device)
    return weighted_vote(similarities, labels[indices], int(labels.max()) + 1, temperature).argmax(1)


def _check(queries: Tensor, gallery: Tensor, k: int) -> None:
    for name, features in (('gallery', gallery), ('queries', queries)):
        if features.dim() != 2 or not len(features):
            raise ValueError(f'k-NN needs a feature matrix (N, D) with N > 0 for the {name}, not one of shape '
                             f'{tuple(features.shape)}')
    if queries.shape[1] != gallery.shape[1]:
        raise ValueError(f'k-NN compares features of one network, but the queries have width {queries.shape[1]} and '
                         f'the gallery {gallery.shape[1]}')
    if k < 1:
        raise ValueError(f'k-NN needs k of at least 1, not k={k}')
