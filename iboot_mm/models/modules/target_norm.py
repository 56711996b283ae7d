"""Running normalisation of a teacher's features (beyond the iBoot paper, off by default)."""

import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn

from ...ranges import at_least, below_one

MODES = ('none', 'center', 'standardize')


class TargetNorm(nn.Module):
    """Centres or standardises targets by running statistics of all ranks.

    The features of a ReLU network are non-negative and share a strong mean direction, so a plain cosine loss is
    satisfied by predicting that mean; without it, the cosine has to come from what tells videos apart. The statistics
    are those of frames, live in the checkpoint (``mean``, ``var``, ``count``) and map a student's output back to the
    teacher's space (:meth:`inverse`), which zero-shot use needs. They are updated once per forward pass, hence with
    gradient accumulation once per part of a batch.

    Args:
        width: Feature width D.
        mode: ``'none'`` (identity), ``'center'`` (subtract the mean) or ``'standardize'`` (and divide by the standard
            deviation of each channel).
        decay: Share of the old statistics kept per step; the first ``1 / (1 - decay)`` steps average uniformly.
        eps: Added to the variance, as a share of the mean variance over channels, so that dead channels stay at 0.

    Raises:
        ValueError: unknown mode.
    """

    def __init__(self, width: int, mode: str = 'none', decay: float = .99, eps: float = 1e-3) -> None:
        super().__init__()
        if mode not in MODES:
            raise ValueError(f"target_norm={mode!r} is unknown: choose one of {', '.join(MODES)}")
        below_one('TargetNorm', decay=decay)
        at_least(0, 'TargetNorm', eps=eps)
        self.mode, self.decay, self.eps = mode, decay, eps
        if mode != 'none':
            self.register_buffer('mean', torch.zeros(width))
            self.register_buffer('var', torch.ones(width))
            self.register_buffer('count', torch.zeros(()))

    def forward(self, targets: Tensor) -> Tensor:
        """Normalises targets; in training mode the statistics take them in first.

        Args:
            targets: Teacher features ``(..., D)``, float32, without gradient.

        Returns:
            Normalised features ``(..., D)``.
        """
        if self.mode == 'none':
            return targets
        if self.training:
            self._update(targets.flatten(0, -2))
        return (targets - self.mean) / self._scale()

    def inverse(self, features: Tensor) -> Tensor:
        """Maps features ``(..., D)`` of the normalised space back to the teacher's space."""
        return features if self.mode == 'none' else features * self._scale() + self.mean

    def typical_norm(self) -> Tensor:
        """Root mean square length of a frame's normalised features, a scalar: ``sqrt(sum_d var_d / scale_d^2)``."""
        return (self.var / self._scale().square()).sum().sqrt()

    def _scale(self) -> Tensor:
        if self.mode == 'center':
            return torch.ones_like(self.var)
        return (self.var + self.eps * self.var.mean() + torch.finfo(self.var.dtype).tiny).sqrt()

    @torch.no_grad()
    def _update(self, samples: Tensor) -> None:  # samples: (S, D)
        samples = samples.double()  # variance as a difference of squares loses float32's digits
        sums = torch.cat([samples.sum(0), samples.square().sum(0), samples.new_full((1,), len(samples))])
        all_reduce(sums)
        mean, square = (sums[:-1] / sums[-1]).chunk(2)
        self.count += 1
        rate = (1 / self.count).clamp(min=1 - self.decay)
        shift = mean.float() - self.mean
        self.var.lerp_((square - mean.square()).clamp(min=0).float(), rate).add_(rate * (1 - rate) * shift.square())
        self.mean.add_(rate * shift)
