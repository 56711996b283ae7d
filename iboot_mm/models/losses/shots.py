"""Losses between frames of shots and between shots of videos (VIVI, https://arxiv.org/abs/1912.02783), as functions."""

import torch
from torch import Tensor

from ...ranges import at_least
from .views import info_nce, off_diagonal

# Distances that are held at a time, 64 MB of float32: the 16384 frames of the paper's batch have 2.7e8.
DISTANCES_TOGETHER = 2 ** 24


def semi_hard_triplets(frames: Tensor, keys: Tensor, first: int, margin: float,
                       joined: int = 1) -> tuple[Tensor, Tensor]:
    """Triplet loss of all pairs of frames of a shot, each with one frame of another shot (VIVI, section 3.2).

    The negative is the nearest one that is farther than the positive, or the farthest if there is none (semi-hard,
    FaceNet, https://arxiv.org/abs/1503.03832): VIVI's text names no mining and trains its exemplar baselines as
    https://arxiv.org/abs/1901.09005 does, whose public code mines so; the very nearest negatives are often frames of
    the same scene. Distances are squared, in [0, 4]. They are taken some anchors at a time, so that memory grows with
    the number of frames and not with its square.

    Args:
        frames: Unit vectors ``(S, L, D)`` of L frames of S shots, L at least 2: the anchors and their positives.
        keys: Those of the whole batch ``(M, L, D)``, M at least 2, in which the anchors' shots are ``first`` to
            ``first + S - 1``.
        first: See ``keys``.
        margin: By how much a negative is to be farther than the positive.
        joined: Shots in a row that are no negatives of each other: 1, or K to spare the other shots of a video; it
            divides M and ``first``.

    Returns:
        Losses ``(S, L, L - 1)`` per anchor and positive, and the share of fulfilled triplets ``(S, L, L - 1)``: how
        many of all negatives are farther than the positive, in [0, 1]; chance is 1/2.

    Raises:
        ValueError: a negative margin, a single frame a shot, or shots that have no negative.
    """
    at_least(0, 'semi_hard_triplets', margin=margin)
    at_least(2, 'semi_hard_triplets', frames=frames.shape[1], shots=len(keys) // joined)
    together = max(1, DISTANCES_TOGETHER // (frames.shape[1] * keys.shape[:2].numel()))
    parts = [_triplets(shots, keys, first + place * together, margin, joined)
             for place, shots in enumerate(frames.split(together))]
    losses, shares = zip(*parts, strict=True)
    return torch.cat(losses), torch.cat(shares)


def _triplets(frames: Tensor, keys: Tensor, first: int, margin: float, joined: int) -> tuple[Tensor, Tensor]:
    shots, length = torch.arange(len(frames), device=frames.device), frames.shape[1]
    distances = 2 - 2 * torch.einsum('sld,mkd->slmk', frames, keys)
    positives = off_diagonal(distances[shots, :, first + shots])  # (S, L, L - 1), from (S, L, L)
    with torch.no_grad():
        groups = torch.arange(len(keys), device=frames.device) // joined
        same = groups[first + shots, None] == groups  # (S, M)
        others = distances.masked_fill(same[:, None, :, None], torch.inf).flatten(2)
        ascending, order = others.sort(dim=-1)  # frames that are no negatives last
        # negatives not farther than the positive
        nearer = torch.searchsorted(ascending.contiguous(), positives.contiguous(), right=True)
        negatives = (len(keys) - joined) * length
        chosen = order.gather(-1, nearer.clamp(max=negatives - 1))
    # gather() would keep all distances for the backward pass, and an index keeps itself alone.
    places = torch.arange(length, device=frames.device)[:, None]
    losses = (margin + positives - distances.flatten(2)[shots[:, None, None], places, chosen]).relu()
    return losses, 1 - nearer / negatives


def shot_info_nce(predictions: Tensor, keys: Tensor, first: int) -> tuple[Tensor, Tensor]:
    """InfoNCE of predicted shots against all shots of all other videos (VIVI, equation 2 and its footnote).

    The score g is the dot product. Equation 2 divides the sum by the number of videos, a constant that is left out.

    Args:
        predictions: What shots 2 to K of N videos are predicted to be ``(N, K - 1, D)``.
        keys: The shots of the whole batch ``(M, K, D)``, M at least 2, in which the predicted videos are ``first`` to
            ``first + N - 1``.
        first: See ``predictions``.

    Returns:
        Losses ``(N, K - 1)``, and whether the true shot scores above all negatives ``(N, K - 1)``, bool; chance is
        ``1 / (1 + (M - 1) K)``.
    """
    scores = torch.einsum('nqd,mkd->nqmk', predictions, keys)
    videos = torch.arange(len(predictions), device=predictions.device)
    own = scores[videos, :, first + videos]  # (N, K - 1, K)
    positives = own.diagonal(offset=1, dim1=1, dim2=2)  # (N, K - 1)
    same = (first + videos)[:, None] == torch.arange(len(keys), device=keys.device)  # (N, M)
    negatives = scores.masked_fill(same[:, None, :, None], -torch.inf).flatten(2)
    return info_nce(positives.unsqueeze(-1), negatives), positives > negatives.amax(dim=-1)
