"""Losses as pure functions of feature tensors."""

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce
from torch import Tensor

from ...ranges import above_zero, at_least


def cosine_distance(query: Tensor, key: Tensor) -> Tensor:
    """Squared distance of the unit vectors, ``2 - 2 cos(query, key)`` (iBoot, equation 1; BYOL, equation 2).

    Computed in float32 whatever the autocast state: in half precision the norms of wide features overflow and cosines
    near 1 lose every digit that still carries gradient.

    Args:
        query: Features ``(..., D)``.
        key: Features ``(..., D)``, broadcast against ``query``. The caller detaches what must get no gradient.

    Returns:
        Distances ``(...)`` in [0, 4], float32.
    """
    with torch.autocast(query.device.type, enabled=False):
        return 2 - 2 * F.cosine_similarity(query.float(), key.float(), dim=-1)


def spread(features: Tensor) -> Tensor:
    """Total standard deviation of the normalised features, the sign of collapse.

    With ``u`` the unit vectors of the features, ``spread = sqrt(E |u - E u|^2) = sqrt(1 - |E u|^2)``.

    Args:
        features: Features ``(..., D)``; all leading axes count as samples.

    Returns:
        A float32 scalar in [0, 1]: 0 when all features point the same way (collapse), 1 when they cancel out.
    """
    with torch.autocast(features.device.type, enabled=False):
        units = F.normalize(features.detach().float().flatten(0, -2), dim=-1)  # (samples, D)
        return (1 - units.mean(0).square().sum()).clamp(min=0).sqrt()


def info_nce(positives: Tensor, negatives: Tensor, separate: bool = False) -> Tensor:
    """InfoNCE, ``-log(sum_P exp(positives) / (sum_P exp(positives) + sum_K exp(negatives)))`` (study, equation 1).

    Args:
        positives: Similarities over temperature ``(..., P)``.
        negatives: Similarities over temperature ``(..., K)``; ``-inf`` leaves one out.
        separate: One softmax per positive, without the other positives in it, and the mean over them, as PySlowFast.

    Returns:
        Losses ``(...)``.
    """
    others = negatives.logsumexp(dim=-1, keepdim=True)
    if separate:
        return (torch.logaddexp(positives, others) - positives).mean(dim=-1)
    numerator = positives.logsumexp(dim=-1)
    return torch.logaddexp(numerator, others.squeeze(-1)) - numerator


def target_info_nce(predictions: Tensor, targets: Tensor, first: int, temperature: float) -> Tensor:
    """InfoNCE of what clips predict against the frozen targets of a batch: each has to find its own video's.

    The targets get no gradient and never move, so unlike SimCLR's keys they need no second forward pass of the network,
    and one network's targets of many videos may stand side by side.

    Args:
        predictions: Of V clips of N videos ``(V, N, D)``, of any length.
        targets: Those of the whole batch ``(M, D)``, M at least 2, in which the predictions' videos are ``first`` to
            ``first + N - 1``.
        first: See ``targets``.
        temperature: Temperature, above 0.

    Returns:
        Losses ``(V, N)``, float32.

    Raises:
        ValueError: a temperature that is not above 0, or a single video, which has no other.
    """
    above_zero('target_info_nce', temperature=temperature)
    at_least(2, 'target_info_nce', num_videos=len(targets))
    with torch.autocast(predictions.device.type, enabled=False):
        cosines = F.normalize(predictions.float(), dim=-1) @ F.normalize(targets.float(), dim=-1).T  # (V, N, M)
        own = first + torch.arange(predictions.shape[1], device=predictions.device)
        return F.cross_entropy((cosines / temperature).flatten(0, 1), own.repeat(len(predictions)),
                               reduction='none').view(predictions.shape[:2])


def nt_xent(queries: Tensor, keys: Tensor, first: int, temperature: float) -> Tensor:
    """InfoNCE of each clip against all others of a batch: the rest of its video are positives, other videos negatives.

    Args:
        queries: Unit vectors ``(V, N, D)`` of V clips of N videos.
        keys: Those of the whole batch ``(V, M, D)``, in which the queries' videos are ``first`` to ``first + N - 1``.
        first: See ``keys``.
        temperature: Temperature, above 0.

    Returns:
        Losses ``(V, N)``.

    Raises:
        ValueError: a temperature that is not above 0, or a single clip, which has no positive.
    """
    num_views, num_videos = queries.shape[:2]
    above_zero('nt_xent', temperature=temperature)
    at_least(2, 'nt_xent', num_views=num_views)
    logits = torch.einsum('vnd,wmd->vnwm', queries, keys) / temperature
    videos = torch.arange(num_videos, device=queries.device)
    positives = off_diagonal(logits[:, videos, :, first + videos]).transpose(0, 1)  # (V, N, V - 1)
    same = (first + videos)[:, None] == torch.arange(keys.shape[1], device=queries.device)  # (N, M)
    negatives = logits.masked_fill(same[:, None], -torch.inf).flatten(2)
    return info_nce(positives, negatives)


def off_diagonal(square: Tensor) -> Tensor:
    """What matrices ``(..., V, V)`` hold beside their diagonal: ``(..., V, V - 1)``, each row in its order.

    A mask would do it too, but a GPU's host waits to hear how many entries it chooses.
    """
    size = square.shape[-1]
    between = square.flatten(-2)[..., 1:].unflatten(-1, (size - 1, size + 1))[..., :-1]  # from one diagonal to the next
    return between.flatten(-2).unflatten(-1, (size, size - 1))


@torch.no_grad()
def sinkhorn(scores: Tensor, epsilon: float = .05, iterations: int = 3) -> Tensor:
    """Soft assignments of samples to prototypes, all prototypes used alike (SwAV, section 3.1; Sinkhorn-Knopp).

    The batch is that of all ranks: the result is the rows that one process would get for the whole batch.

    Args:
        scores: Cosines ``(B, K)`` of this rank's samples and the prototypes, in [-1, 1], so that no exponential
            overflows at the usual ``epsilon``.
        epsilon: Regularisation, above 0; smaller is harder.
        iterations: Of the normalisation of prototypes, then samples, at least 1.

    Returns:
        Codes ``(B, K)``, float32, whose rows sum to 1; without gradient.

    Raises:
        ValueError: an epsilon that is not above 0, or no iteration, after which rows would not sum to 1.
    """
    above_zero('sinkhorn', epsilon=epsilon)
    at_least(1, 'sinkhorn', iterations=iterations)
    codes = (scores.float() / epsilon).exp()
    for _ in range(iterations):
        mass = codes.sum(dim=0)  # (K,)
        all_reduce(mass)
        codes = codes / mass
        codes = codes / codes.sum(dim=1, keepdim=True)
    return codes


def swapped_prediction(scores: Tensor, codes: Tensor, temperature: float) -> Tensor:
    """Cross entropy of one clip's codes and what another clip of the video predicts (SwAV, equation 2).

    Args:
        scores: Cosines ``(V, N, K)`` with the prototypes.
        codes: Targets ``(V, N, K)``.
        temperature: Temperature of the prediction, above 0.

    Returns:
        Losses ``(V, N)`` per predicting clip, the mean over the video's V - 1 other clips as targets.

    Raises:
        ValueError: a temperature that is not above 0, or a single clip, which has no other.
    """
    above_zero('swapped_prediction', temperature=temperature)
    at_least(2, 'swapped_prediction', num_views=len(codes))
    log_probs = (scores / temperature).log_softmax(dim=-1)
    # Linear in the codes, so the mean over targets can be taken first.
    others = (codes.sum(dim=0, keepdim=True) - codes) / (len(codes) - 1)
    return -(others * log_probs).sum(dim=-1)
