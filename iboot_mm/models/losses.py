"""Losses as pure functions of feature tensors."""

import torch
import torch.nn.functional as F
from torch import Tensor


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
