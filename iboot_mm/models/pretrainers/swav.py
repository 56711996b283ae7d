"""rho-SwAV: Swapping Assignments between Views (https://arxiv.org/abs/2006.09882) over rho clips of a video.

Follows section 3.2 and appendix B.1 of the large-scale study (https://arxiv.org/abs/2104.14558). Where its equation 3
has the Kullback-Leibler divergence, the cross entropy stands here, as in SwAV's own equation 2: they differ by the
entropy of the codes, which has no gradient.
"""

from typing import Any

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from ...ranges import above_zero, at_least
from ..losses.views import sinkhorn, spread, swapped_prediction
from .persistence import PersistencePretrainer, unit

# Appendix B.1 of the study.
PROJECTOR = dict(hidden_dim=2048, out_dim=128, num_layers=3)


class Prototypes(nn.Module):
    """Learned directions that clips are assigned to; weight ``(K, D)``, without bias.

    Args:
        number: K.
        dim: Width D of the embeddings.

    Attributes:
        frozen: Whether the weight gets a gradient of 0, see ``FreezePrototypesHook``.
    """

    def __init__(self, number: int, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.Linear(dim, number, bias=False).weight.detach())
        self.frozen = False

    def forward(self, embeddings: Tensor) -> Tensor:
        """Unit vectors ``(..., D)`` to cosines ``(..., K)``."""
        # Frozen, a gradient of 0 rather than none: the distributed wrapper waits for each parameter's.
        weight = self.weight.detach() + 0 * self.weight if self.frozen else self.weight
        return F.linear(embeddings, weight)

    @torch.no_grad()
    def normalize(self) -> None:
        """Scales each prototype to length 1, as SwAV does before each step."""
        self.weight.copy_(F.normalize(self.weight, dim=1))


@MODELS.register_module()
class VideoSwAV(PersistencePretrainer):
    """Predicts, from each clip, the prototypes that the other clips of the video are assigned to.

    The assignment is balanced over the batch of all ranks. All clips are kept until the backward pass, so memory grows
    with rho; gradient accumulation balances each part of the batch by itself. ``FreezePrototypesHook`` keeps the
    prototypes as they are in the first epoch.

    Example:
        >>> model = dict(type='VideoSwAV', backbone=dict(type='SlowResNet', depth=50), feature_dim=2048)

    Args:
        backbone: Config of the video encoder.
        feature_dim: Width of the backbone's features.
        projector: Arguments of :class:`~iboot_mm.models.modules.projectors.MLP` that differ from ``PROJECTOR``.
        num_prototypes: Number of prototypes; SwAV's 3000, which the study does not change (PySlowFast: 1000).
        temperature: Temperature of the prediction.
        epsilon: Regularisation of the assignment, see :func:`~iboot_mm.models.losses.views.sinkhorn`.
        iterations: Iterations of the assignment.
        **kwargs: ``reduction``, ``one_pass``, ``data_preprocessor``, ``init_cfg``, ``normalization``,
            ``channels_last`` and ``compile`` of
            :class:`~iboot_mm.models.pretrainers.persistence.PersistencePretrainer`.
    """

    def __init__(self, backbone: dict, feature_dim: int, projector: dict | None = None, num_prototypes: int = 3000,
                 temperature: float = .1, epsilon: float = .05, iterations: int = 3, **kwargs: Any) -> None:
        super().__init__(backbone, feature_dim, dict(PROJECTOR, **projector or {}), **kwargs)
        above_zero('VideoSwAV', temperature=temperature, epsilon=epsilon)
        at_least(1, 'VideoSwAV', num_prototypes=num_prototypes, iterations=iterations)
        self.prototypes = Prototypes(num_prototypes, self.embedding_dim)
        self.temperature = temperature
        self.epsilon = epsilon
        self.iterations = iterations

    def loss(self, views: Tensor) -> dict[str, Tensor]:
        """The swapped prediction (equation 3 of the study) for views ``(N, V, C, T, H, W)`` in [0, 1]."""
        self.check_views(views)
        embeddings = self.embed_views(views)  # (V, N, D)
        with torch.autocast(views.device.type, enabled=False):
            return self.prediction_loss(unit(embeddings))

    def prediction_loss(self, embeddings: Tensor) -> dict[str, Tensor]:
        """The loss of unit vectors ``(V, N, D)``."""
        if self.training:
            self.prototypes.normalize()
        scores = self.prototypes(embeddings)  # (V, N, K)
        codes = torch.stack([sinkhorn(s, self.epsilon, self.iterations) for s in scores.detach().unbind()])
        losses = swapped_prediction(scores, codes, self.temperature)
        return dict(loss=self.reduce(losses), spread_student=spread(embeddings))
