"""rho-MoCo: Momentum Contrast (https://arxiv.org/abs/1911.05722, https://arxiv.org/abs/2003.04297) over rho clips.

Follows section 3.2 and appendix B.1 of the large-scale study (https://arxiv.org/abs/2104.14558): symmetric loss,
annealed momentum, three-layer projection without BN, all clips' keys in the queue.
"""

from typing import Any

import torch
from mmaction.registry import MODELS
from mmengine.dist import broadcast, get_world_size
from torch import Tensor

from ...ranges import above_zero, at_least
from ..losses.views import info_nce, spread
from ..modules.distributed import exchange_rows
from ..modules.key_queue import KeyQueue
from ..modules.momentum import MomentumCopy
from .persistence import SequentialPretrainer, unit

# Appendix B.1 of the study.
PROJECTOR = dict(hidden_dim=2048, out_dim=128, num_layers=3, norm=False)
MOMENTUM = dict(base=.994)


@MODELS.register_module()
class VideoMoCo(SequentialPretrainer):
    """Tells, from each clip, the momentum copy's keys of the video's other clips from a queue of other videos' keys.

    Needs ``MomentumUpdateHook``. The keys of a step enter the queue when they are made and are negatives from the next
    forward pass on; with gradient accumulation that is the next part of the batch.

    Example:
        >>> model = dict(type='VideoMoCo', backbone=dict(type='SlowResNet', depth=50), feature_dim=2048)

    Args:
        backbone: Config of the video encoder.
        feature_dim: Width of the backbone's features.
        projector: Arguments of :class:`~iboot_mm.models.modules.projectors.MLP` that differ from ``PROJECTOR``.
        momentum: Arguments of :class:`~iboot_mm.models.modules.momentum.MomentumCopy` that differ from ``MOMENTUM``.
        queue_size: Number of negatives.
        temperature: Temperature.
        positives: ``'joint'``, all of them in the numerator (equation 1), or ``'separate'``, one softmax for each, as
            PySlowFast; the same at rho = 2.
        **kwargs: ``reduction``, ``one_pass``, ``data_preprocessor``, ``init_cfg``, ``normalization``,
            ``channels_last`` and ``compile`` of
            :class:`~iboot_mm.models.pretrainers.persistence.PersistencePretrainer`.

    Raises:
        ValueError: unknown kind of positives.
    """

    def __init__(self, backbone: dict, feature_dim: int, projector: dict | None = None, momentum: dict | None = None,
                 queue_size: int = 65536, temperature: float = .1, positives: str = 'joint', **kwargs: Any) -> None:
        super().__init__(backbone, feature_dim, dict(PROJECTOR, **projector or {}), **kwargs)
        if positives not in ('joint', 'separate'):
            raise ValueError(f"positives={positives!r} is unknown to VideoMoCo: choose 'joint' or 'separate'")
        above_zero('VideoMoCo', temperature=temperature)
        at_least(1, 'VideoMoCo', queue_size=queue_size)
        self.momentum = MomentumCopy(self.online, **dict(MOMENTUM, **momentum or {}))
        self.compile_network(self.momentum.network)
        self.queue = KeyQueue(queue_size, self.embedding_dim)
        self.temperature = temperature
        self.separate = positives == 'separate'

    def targets(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Keys ``(V, N, D)`` of all clips and negatives ``(K, D)``, the queue as it was before them."""
        keys = self.keys(self.normalize(views))
        negatives = self.queue.keys.clone()  # the backward passes need them after the queue has moved on
        if self.training:
            self.queue.enqueue(keys)
        return keys, negatives

    @torch.no_grad()
    def keys(self, views: Tensor) -> Tensor:
        """The momentum copy's unit vectors ``(V, N, D)`` of views ``(N, V, C, T, H, W)``, computed on shuffled ranks.

        BN would otherwise tell a query which key was normalised together with it (MoCo, section 3.3, shuffling BN).
        """
        if get_world_size() == 1:
            return unit(self.momentum.of_views(views))
        order = torch.randperm(get_world_size() * len(views), device=views.device)
        broadcast(order)
        order = order.cpu()  # one wait for both exchanges
        keys = unit(self.momentum.of_views(exchange_rows(views, order)))
        return exchange_rows(keys.transpose(0, 1), order.argsort()).transpose(0, 1)

    def queries(self, clips: Tensor) -> tuple[Tensor]:
        """Unit vectors ``(N, D)``."""
        return unit(self.embed(clips)),

    def compare(self, queries: tuple[Tensor], view: int, targets: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Equation 1 of the study with one view as query, see :meth:`SequentialPretrainer.compare`."""
        (query, ), (keys, negatives) = queries, targets
        with torch.autocast(query.device.type, enabled=False):
            others = torch.cat([keys[:view], keys[view + 1:]])  # (V - 1, N, D)
            positive = torch.einsum('nd,vnd->nv', query, others) / self.temperature
            negative = query @ negatives.T / self.temperature  # (N, K)
            loss = info_nce(positive, negative, self.separate).mean()
        best = positive.detach().amax(dim=1) > negative.detach().amax(dim=1)
        return dict(loss=loss, accuracy=best.float().mean(), spread_student=spread(query),
                    spread_momentum=spread(others))
