"""The momentum copy of an online network."""

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from .batch_norm import separate_views
from .features import check_width, frame_features


def annealed_momentum(base: float, progress: float) -> float:
    """Momentum that rises from ``base`` to 1 along a half cosine (BYOL; large-scale study, appendix A.3).

    Args:
        base: Momentum at the start, in [0, 1].
        progress: Optimizer steps done over all steps, in [0, 1].
    """
    return 1 - (1 - base) * (math.cos(math.pi * progress) + 1) / 2


SCHEDULES = ('cosine', 'fixed')


class Embedder(nn.Module):
    """A backbone, averaged over space and time, and a projector: what BYOL's and MoCo's momentum copy follows.

    Args:
        backbone: A video backbone.
        projector: A module for features ``(N, feature_dim)``.
        feature_dim: Width of the backbone's features.
    """

    def __init__(self, backbone: nn.Module, projector: nn.Module, feature_dim: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.projector = projector
        self.feature_dim = feature_dim

    def forward(self, clips: Tensor) -> Tensor:
        """Clips ``(N, C, T, H, W)`` on the backbone's scale to embeddings ``(N, D)``."""
        features = frame_features(self.backbone(clips)).mean(dim=1)
        check_width(features, self.feature_dim)
        return self.projector(features)


class MomentumCopy(nn.Module):
    """A copy of a network whose parameters follow it as an exponential moving average.

    Only parameters follow; normalisation statistics of the copy come from its own forward passes, as in BYOL.
    :class:`~iboot_mm.engine.hooks.MomentumUpdateHook` drives it: it makes the first copy when training begins from
    step 0 and updates after every optimizer step.

    Args:
        online: The network to follow.
        base: Momentum at the start of training, in [0, 1].
        schedule: What becomes of it: ``cosine`` raises it to 1 (:func:`annealed_momentum`), ``fixed`` leaves it as it
            is (large-scale study, Table 15; there MoCo's own .999).

    Attributes:
        steps: Updates done, a buffer, so that a checkpoint tells how far its copy has come.

    Raises:
        ValueError: a momentum outside of that range, or an unknown schedule.
    """

    def __init__(self, online: nn.Module, base: float = .996, schedule: str = 'cosine') -> None:
        super().__init__()
        if not 0 <= base <= 1:
            raise ValueError(f'model.momentum.base must be in [0, 1], got {base}')
        if schedule not in SCHEDULES:
            raise ValueError(f'model.momentum.schedule is {" or ".join(SCHEDULES)}, got {schedule!r}')
        self.network = copy.deepcopy(online)
        self.network.requires_grad_(False)
        self.base = base
        self.schedule = schedule
        self.register_buffer('steps', torch.zeros((), dtype=torch.long))
        self.attached = False  # set by the hook: a copy that nobody updates would be a silent random target

    @torch.no_grad()
    def copy_from(self, online: nn.Module) -> None:
        """Sets parameters and buffers to those of ``online``."""
        self.network.load_state_dict(online.state_dict())

    @torch.no_grad()
    def update(self, online: nn.Module, progress: float) -> None:
        """One step of the moving average, ``copy = m copy + (1 - m) online``.

        Args:
            online: The network followed.
            progress: Optimizer steps done over all steps, in [0, 1].
        """
        momentum = annealed_momentum(self.base, progress) if self.schedule == 'cosine' else self.base
        torch._foreach_lerp_(list(self.network.parameters()), list(online.parameters()), 1 - momentum)
        self.steps += 1

    @torch.no_grad()
    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        if self.training and not self.attached:
            raise RuntimeError('the momentum copy is never updated: '
                               "add dict(type='MomentumUpdateHook') to custom_hooks")
        return self.network(*args, **kwargs)

    def of_views(self, views: Tensor) -> Tensor:
        """Embeddings ``(V, N, D)`` of views ``(N, V, C, T, H, W)``: one pass, in which BN knows each view apart."""
        stacked = views.transpose(0, 1)  # (V, N, C, T, H, W)
        with separate_views(self.network, len(stacked)):
            return self(stacked.flatten(0, 1)).unflatten(0, stacked.shape[:2])
