"""k-means clusters of what a teacher says, as labels that nobody had to write."""

from typing import Any

import torch
from mmengine.dist import all_gather, broadcast
from torch import Tensor, nn

from ...ranges import at_least

RESTARTS, ROUNDS = 10, 30  # of k-means; our choice


class TargetClusters(nn.Module):
    """Assigns a teacher's features to clusters that k-means finds in the first ones that training sees.

    The features of all ranks are collected until there are ``bank`` of them. Then each channel is divided by its
    deviation and k-means (scipy's, from k-means++, the best of ten starts) runs once; all ranks take rank 0's centres.
    From there on the clusters are fixed, since the teacher is. Until then there are no labels: with 1024 features and
    batches of 32 that is the first 32 steps, which are warm-up. Everything is buffers, so a run resumes anywhere.

    Args:
        width: Feature width D.
        number: Clusters K, at least 2.
        bank: Features to find them in, at least K.

    Raises:
        ValueError: fewer than two clusters, or fewer features than clusters.
    """

    def __init__(self, width: int, number: int = 32, bank: int = 1024) -> None:
        super().__init__()
        at_least(2, 'TargetClusters', number=number)
        at_least(number, 'TargetClusters', bank=bank)
        self.number = number
        self.register_buffer('bank', torch.zeros(bank, width))
        self.register_buffer('filled', torch.zeros((), dtype=torch.long))
        self.register_buffer('centres', torch.zeros(number, width))
        self.register_buffer('scale', torch.ones(width))
        self._count = 0  # `filled`, which a GPU would have to be waited for

    def forward(self, features: Tensor) -> Tensor | None:
        """The nearest centre of each feature, or None while there are no clusters; training takes features in first.

        Args:
            features: Features ``(N, D)``, float32, without gradient; N alike on all ranks.

        Returns:
            Labels ``(N,)`` from 0 to K - 1.
        """
        if not self.found and self.training:
            self._collect(torch.cat(all_gather(features)))
        if not self.found:
            return None
        return torch.cdist(features / self.scale, self.centres / self.scale).argmin(dim=1)

    @property
    def missing(self) -> int:
        """How many features are still to come before the clusters are there."""
        return len(self.bank) - self._count

    @property
    def found(self) -> bool:
        """Whether the clusters are there."""
        return self.missing == 0

    def _load_from_state_dict(self, *args: Any) -> None:
        super()._load_from_state_dict(*args)
        self._count = int(self.filled)

    @torch.no_grad()
    def _collect(self, features: Tensor) -> None:
        taken = features[:self.missing]
        self.bank[self._count:self._count + len(taken)] = taken
        self._count += len(taken)
        self.filled.fill_(self._count)
        if self.found:
            variance = self.bank.var(dim=0)
            self.scale.copy_((variance + 1e-6 * variance.mean() + torch.finfo(variance.dtype).tiny).sqrt())
            self.centres.copy_(k_means(self.bank / self.scale, self.number) * self.scale)
            broadcast(self.centres)


def k_means(features: Tensor, number: int) -> Tensor:
    """Centres ``(number, D)`` of features ``(M, D)``: Lloyd's algorithm from k-means++, the best of several starts."""
    import numpy as np
    from scipy.cluster.vq import kmeans2

    points = features.double().cpu().numpy()
    best, least = None, np.inf
    for seed in range(RESTARTS):
        centres, nearest = kmeans2(points, number, iter=ROUNDS, minit='++', missing='warn', seed=seed)
        error = np.square(points - centres[nearest]).sum()
        if error < least:
            best, least = centres, error
    return torch.from_numpy(best).to(features)
