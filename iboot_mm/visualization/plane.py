"""Features of videos in the plane by principal components (Pearson, 1901), and what a map of them is drawn from."""

import torch
import torch.nn.functional as F
from torch import Tensor

MAX_POINTS = 5000  # a page with more is slow to open


def principal_plane(features: Tensor) -> tuple[Tensor, list[float]]:
    """Places along the two directions in which the features vary most.

    Args:
        features: ``(N, D)``, which are scaled to unit length as for k-NN.

    Returns:
        Places ``(N, 2)`` around their mean, float64, and the two shares of the variance in [0, 1]. The sign of a
        direction is that which makes its largest weight positive, so the picture is the same everywhere.
    """
    values = F.normalize(features.double(), dim=1)
    values = values - values.mean(0)
    variances, directions = torch.linalg.eigh(values.T @ values)  # (D, D), however many videos there are; ascending
    top = F.pad(directions.flip(1)[:, :2], (0, max(0, 2 - directions.shape[1])))
    largest = top.gather(0, top.abs().argmax(0, keepdim=True))
    shares = F.pad(variances.flip(0)[:2], (0, max(0, 2 - len(variances)))).clamp(min=0) / variances.sum().clamp(
        min=torch.finfo(torch.float64).tiny)
    return values @ (top * torch.where(largest < 0, -1., 1.).double()), shares.tolist()


def map_points(features: Tensor, samples: list[dict], limit: int = MAX_POINTS) -> dict:
    """What a report's map is drawn from, for JSON.

    Args:
        features: ``(N, D)``, all of which the directions come from.
        samples: The N videos as ``dict(role, labels, filename)``.
        limit: Points at most, taken at even distances from the list.

    Returns:
        ``dict(videos=N, shares=[2 in [0, 1]], points=[dict(sample, place=[x, y]), ...])``.
    """
    places, shares = principal_plane(features)
    kept = torch.linspace(0, len(samples) - 1, min(limit, len(samples))).round().long().tolist()
    return dict(videos=len(samples), shares=shares,
                points=[dict(samples[at], place=[round(value, 5) for value in places[at].tolist()]) for at in kept])
