"""rho-SimCLR (https://arxiv.org/abs/2002.05709) over rho clips of a video.

Follows section 3.2 and appendix B.1 of the large-scale study (https://arxiv.org/abs/2104.14558).
"""

from typing import Any

import torch
from mmaction.registry import MODELS
from mmengine.dist import get_rank
from torch import Tensor

from ...ranges import above_zero
from ..losses.views import nt_xent, spread
from ..modules.distributed import gather_with_gradient
from .persistence import PersistencePretrainer, unit

# Appendix B.1 of the study.
PROJECTOR = dict(hidden_dim=2048, out_dim=128, num_layers=3)


@MODELS.register_module()
class VideoSimCLR(PersistencePretrainer):
    """Tells, from each clip, the video's other clips from the clips of all other videos of the batch.

    The batch is that of all ranks, and gradients flow into all its clips. All clips are kept until the backward pass,
    so memory grows with rho; gradient accumulation leaves each clip the negatives of its part of the batch only.

    Example:
        >>> model = dict(type='VideoSimCLR', backbone=dict(type='SlowResNet', depth=50), feature_dim=2048)

    Args:
        backbone: Config of the video encoder.
        feature_dim: Width of the backbone's features.
        projector: Arguments of :class:`~iboot_mm.models.modules.projectors.MLP` that differ from ``PROJECTOR``.
        temperature: Temperature.
        positives: ``'joint'``, all of them in the numerator (equation 1), or ``'adjacent'``, a loss for each pair of
            clips k and k + 1, as PySlowFast; the same at rho = 2.
        **kwargs: ``reduction`` (over the clips, or the pairs), ``one_pass``, ``data_preprocessor``, ``init_cfg``,
            ``normalization``, ``channels_last`` and ``compile`` of
            :class:`~iboot_mm.models.pretrainers.persistence.PersistencePretrainer`.

    Raises:
        ValueError: unknown kind of positives.
    """

    def __init__(self, backbone: dict, feature_dim: int, projector: dict | None = None, temperature: float = .1,
                 positives: str = 'joint', **kwargs: Any) -> None:
        super().__init__(backbone, feature_dim, dict(PROJECTOR, **projector or {}), **kwargs)
        if positives not in ('joint', 'adjacent'):
            raise ValueError(f"positives={positives!r} is unknown to VideoSimCLR: choose 'joint' or 'adjacent'")
        above_zero('VideoSimCLR', temperature=temperature)
        self.temperature = temperature
        self.adjacent = positives == 'adjacent'

    def loss(self, views: Tensor) -> dict[str, Tensor]:
        """Equation 1 of the study, every clip a query, for views ``(N, V, C, T, H, W)`` in [0, 1]."""
        self.check_views(views)
        embeddings = self.embed_views(views)  # (V, N, D)
        with torch.autocast(views.device.type, enabled=False):
            queries = unit(embeddings)  # (V, N, D)
            keys = gather_with_gradient(queries, dim=1)  # (V, R N, D)
            losses = self.sub_losses(queries, keys, first=get_rank() * queries.shape[1])
        return dict(loss=self.reduce(losses), spread_student=spread(queries))

    def sub_losses(self, queries: Tensor, keys: Tensor, first: int) -> Tensor:
        """Losses ``(V, N)`` per clip, or ``(V - 1, 2, N)`` per adjacent pair; arguments as those of ``nt_xent``."""
        if not self.adjacent:
            return nt_xent(queries, keys, first, self.temperature)
        return torch.stack([nt_xent(queries[k:k + 2], keys[k:k + 2], first, self.temperature)
                            for k in range(len(queries) - 1)])
