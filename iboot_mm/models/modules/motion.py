"""What still images say of motion: two pictures of a clip for a network that knows images alone, as functions."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ...ranges import above_zero, at_least

CONTRAST = .25  # standard deviation of a dynamic image around .5, about that of photographs


def rank_pooling_weights(length: int) -> Tensor:
    """Weights of T frames in approximate rank pooling, ``2 t - T - 1`` for t = 1 ... T: ``(T,)``, their sum is 0.

    They are the first step of a ranking machine that is to score later frames higher (Bilen et al., "Dynamic Image
    Networks for Action Recognition", CVPR 2016, section 3.2; there with a smoothing of the frames, which is left out).

    Raises:
        ValueError: a single frame, which has no order.
    """
    at_least(2, 'rank_pooling_weights', length=length)
    return 2. * torch.arange(1, length + 1) - length - 1


def dynamic_image(clips: Tensor) -> Tensor:
    """One picture of how a clip changes, which any image model takes (approximate rank pooling).

    ``d = sum_t (2 t - T - 1) frame_t``, shown as ``.5 + CONTRAST d / deviation(d)`` and cut off at 0 and 1. What stands
    still cancels; the reversed clip has the same picture in reversed signs, ``1 - picture``; a factor on the clip's
    brightness changes nothing.

    Args:
        clips: Clips ``(N, C, T, H, W)`` in [0, 1], T at least 2.

    Returns:
        Pictures ``(N, C, H, W)`` in [0, 1]; .5 everywhere of a clip that stands still.
    """
    weights = rank_pooling_weights(clips.shape[2]).to(clips.device)
    change = torch.einsum('ncthw,t->nchw', clips.float(), weights)
    deviation = change.flatten(1).std(dim=1).clamp(min=1e-3).view(-1, 1, 1, 1)  # less is the rounding of a still clip
    return (.5 + CONTRAST * change / deviation).clamp(0, 1)


def displacements(reach: int) -> Tensor:
    """The ``(2 r + 1)^2`` displacements of :func:`correspondences` in its order: ``(., 2)`` as (down, right), places.

    >>> displacements(1)[[0, 4, 5]].tolist()  # up and left, none, right
    [[-1, -1], [0, 0], [0, 1]]
    """
    steps = torch.arange(-reach, reach + 1)
    return torch.cartesian_prod(steps, steps)


def correspondences(maps: Tensor, reach: int = 2, gap: int = 2, temperature: float = .1) -> Tensor:
    """Which way the places of a clip go, by where an image model finds each again: a distribution over displacements.

    With unit vectors ``u_t(x)`` of the maps, place x of frame t goes to ``x + d`` of frame ``t + gap`` with the
    probability ``p_t(d | x) = softmax_d(u_t(x) . u_{t + gap}(x + d) / temperature)`` over the ``(2 r + 1)^2``
    displacements d that stay inside the map, and a place counts as much as it changes,
    ``w_t(x) = |f_{t + gap}(x) - f_t(x)| / sum_x |...|``. The result is ``mean_t sum_x w_t(x) p_t(d | x)``: it knows
    neither what moves nor where. Frames t are every ``gap``-th. Ours; see docs/motion_target.md.

    Args:
        maps: Features of frames ``(N, T, D, h, w)``, T above ``gap``.
        reach: r, places of the map.
        gap: Frames from one to the other.
        temperature: Above 0.

    Returns:
        ``(N, (2 r + 1)^2)``, float32, at least 0, each row of sum 1; the order is that of :func:`displacements`.

    Raises:
        ValueError: an impossible option, or clips that are too short for ``gap``.
    """
    at_least(1, 'correspondences', reach=reach, gap=gap)
    above_zero('correspondences', temperature=temperature)
    if maps.shape[1] <= gap:
        raise ValueError(f'correspondences: a clip of {maps.shape[1]} frames has none that are gap={gap} apart: set '
                         'gap to less')
    return pair_correspondences(maps, reach, gap, temperature)[0]


def pair_correspondences(maps: Tensor, reach: int, gap: int, temperature: float) -> tuple[Tensor, Tensor, Tensor]:
    """:func:`correspondences`, and what they are the mean of: ``p_t`` and ``w_t``.

    Returns:
        ``(N, K)``; probabilities ``(N, P, K, h, w)`` and weights ``(N, P, h, w)`` of P pairs of frames.
    """
    maps = maps.float()
    first, second = maps[:, :-gap:gap], maps[:, gap::gap]
    shape = first.shape[:2]
    change = (second - first).norm(dim=2) + torch.finfo(torch.float32).eps  # a still clip: all places alike
    weights = change / change.sum(dim=(2, 3), keepdim=True)
    first, second = (F.normalize(part.flatten(0, 1), dim=1) for part in (first, second))  # (N P, D, h, w)
    side, (height, width) = 2 * reach + 1, first.shape[2:]
    padded = F.pad(second, (reach,) * 4)
    cosines = torch.stack([(first * padded[:, :, down:down + height, right:right + width]).sum(1)
                           for down in range(side) for right in range(side)], dim=1)  # (N P, K, h, w)
    inside = F.unfold(first.new_ones(1, 1, height, width), side, padding=reach).view(1, -1, height, width) > 0
    probabilities = (cosines / temperature).masked_fill(~inside, -torch.inf).softmax(dim=1).unflatten(0, shape)
    return (probabilities * weights[:, :, None]).sum(dim=(3, 4)).mean(dim=1), probabilities, weights
