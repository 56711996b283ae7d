"""rho-BYOL: Bootstrap Your Own Latent (https://arxiv.org/abs/2006.07733) over rho clips of a video.

Follows section 3.2 and appendix B.1 of the large-scale study (https://arxiv.org/abs/2104.14558). Its loss is twice the
negative cosine; 2 is added here, which makes it BYOL's squared distance of unit vectors. Equation 2 sums over a clip's
positives; here, as in PySlowFast, it is their mean, so that rho does not scale the gradient of biases and BN.
"""

from typing import Any

import torch
from mmaction.registry import MODELS
from torch import Tensor

from ..losses.views import cosine_distance, spread
from ..modules.momentum import MomentumCopy
from ..modules.projectors import MLP
from .persistence import SequentialPretrainer

# Appendix B.1 of the study.
PROJECTOR = dict(hidden_dim=4096, out_dim=256, num_layers=2)
PREDICTOR = dict(hidden_dim=4096, num_layers=2)
MOMENTUM = dict(base=.996)


@MODELS.register_module()
class VideoBYOL(SequentialPretrainer):
    """From each clip, predicts what a momentum copy of the network makes of the other clips of the video.

    Needs ``MomentumUpdateHook``. PySlowFast's momentum lags a step behind and begins anew on resuming; here neither.

    Example:
        >>> model = dict(type='VideoBYOL', backbone=dict(type='SlowResNet', depth=50), feature_dim=2048)

    Args:
        backbone: Config of the video encoder.
        feature_dim: Width of the backbone's features.
        projector: Arguments of :class:`~iboot_mm.models.modules.projectors.MLP` that differ from ``PROJECTOR``.
        predictor: The same for ``PREDICTOR``; as wide at both ends as the projector's output.
        momentum: Arguments of :class:`~iboot_mm.models.modules.momentum.MomentumCopy` that differ from ``MOMENTUM``.
        **kwargs: ``reduction``, ``one_pass``, ``data_preprocessor``, ``init_cfg``, ``normalization``,
            ``channels_last`` and ``compile`` of
            :class:`~iboot_mm.models.pretrainers.persistence.PersistencePretrainer`.
    """

    def __init__(self, backbone: dict, feature_dim: int, projector: dict | None = None, predictor: dict | None = None,
                 momentum: dict | None = None, **kwargs: Any) -> None:
        super().__init__(backbone, feature_dim, dict(PROJECTOR, **projector or {}), **kwargs)
        self.predictor = MLP(self.embedding_dim, out_dim=self.embedding_dim, **dict(PREDICTOR, **predictor or {}))
        self.momentum = MomentumCopy(self.online, **dict(MOMENTUM, **momentum or {}))
        self.compile_network(self.momentum.network)

    def targets(self, views: Tensor) -> tuple[Tensor]:
        """The momentum copy's embeddings ``(V, N, D)`` of all clips."""
        return self.momentum.of_views(self.normalize(views)),

    def queries(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings and what is predicted from them, each ``(N, D)``."""
        embedding = self.embed(clips)
        return embedding, self.predictor(embedding)

    def compare(self, queries: tuple[Tensor, Tensor], view: int, targets: tuple[Tensor]) -> dict[str, Tensor]:
        """Equation 2 of the study with one view as query, see :meth:`SequentialPretrainer.compare`."""
        (embedding, prediction), (keys, ) = queries, targets
        others = torch.cat([keys[:view], keys[view + 1:]])  # (V - 1, N, D)
        loss = cosine_distance(prediction, others).mean()
        return dict(loss=loss, cosine=1 - loss.detach() / 2, spread_student=spread(embedding),
                    spread_momentum=spread(others))
