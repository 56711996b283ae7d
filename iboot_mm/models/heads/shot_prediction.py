"""A shot from the ones before it (VIVI, https://arxiv.org/abs/1912.02783, section 3.3 and section 4)."""

from abc import ABCMeta, abstractmethod

import torch
from mmaction.registry import MODELS
from mmengine.dist import get_rank
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..losses.shots import shot_info_nce
from ..modules.distributed import gather_with_gradient
from ..modules.projectors import MLP


class ShotPredictionHead(BaseModule, metaclass=ABCMeta):
    """InfoNCE of predicted shots; the negatives are all shots of all other videos, of all ranks (footnote 3)."""

    @abstractmethod
    def predict(self, shots: Tensor) -> Tensor:
        """Predictions ``(N, K - 1, E)`` of shots 2 to K from shots ``(N, K, D)``, each from those before it alone."""

    @abstractmethod
    def encode(self, shots: Tensor) -> Tensor:
        """Shots ``(N, K, D)`` as keys ``(N, K, E)``, which the predictions are multiplied with."""

    def forward(self, shots: Tensor) -> dict[str, Tensor]:
        """Shot embeddings ``(N, K, D)`` to ``loss``, ``accuracy`` (true shot above all negatives) and ``chance``.

        Raises:
            ValueError: a batch of one video.
        """
        with torch.autocast(shots.device.type, enabled=False):
            shots = shots.float()
            keys = gather_with_gradient(self.encode(shots))
            if len(keys) < 2:
                raise ValueError(f'{type(self).__name__} tells shots of different videos apart, and the batch of all '
                                 'processes has one video: set train_dataloader.batch_size to at least 2')
            losses, hits = shot_info_nce(self.predict(shots), keys, get_rank() * len(shots))
            chance = 1 / (1 + keys[1:, :, 0].numel())
            return dict(loss=losses.mean(), accuracy=hits.float().mean(), chance=losses.new_full((), chance))


@MODELS.register_module()
class ShotPairHead(ShotPredictionHead):
    """Predicts the second of two shots from the first, as equation 2 does: g(e, e') = phi1(e)^T phi2(e').

    phi1 and phi2 are MLPs with one hidden layer. Their output's width (the hidden one) and that they have no BN are our
    choice.

    Args:
        in_channels: Width of the shot embeddings.
        num_shots: Shots of a video, 2.
        hidden: Units of the hidden layers.
        init_cfg: mmengine's initialisation config.

    Raises:
        ValueError: other than two shots.
    """

    def __init__(self, in_channels: int, num_shots: int, hidden: int = 256, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if num_shots != 2:
            raise ValueError(f'ShotPairHead predicts one shot from another, and num_shots={num_shots}: set '
                             "num_shots=2, or video_loss=dict(type='ShotSequenceHead') for more")
        self.phi1, self.phi2 = (MLP(in_channels, hidden, hidden, num_layers=2, norm=False) for _ in range(2))

    def predict(self, shots: Tensor) -> Tensor:
        """phi1 of the first shot, ``(N, 1, E)``."""
        return self.phi1(shots[:, :1])

    def encode(self, shots: Tensor) -> Tensor:
        """phi2 of all shots, ``(N, 2, E)``."""
        return self.phi2(shots)


@MODELS.register_module()
class ShotSequenceHead(ShotPredictionHead):
    """Predicts every shot from all before it by an LSTM.

    The score of the LSTM's state h and a shot e is the bilinear h^T W e, as in CPC (https://arxiv.org/abs/1807.03748),
    whose loss the paper takes; its own form of g for an LSTM is not in the text: our choice.

    Args:
        in_channels: Width of the shot embeddings.
        num_shots: Shots of a video K, at least 2.
        hidden: Units of the LSTM.
        init_cfg: mmengine's initialisation config.

    Raises:
        ValueError: a single shot.
    """

    def __init__(self, in_channels: int, num_shots: int, hidden: int = 256, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if num_shots < 2:
            raise ValueError(f'ShotSequenceHead predicts shots from earlier ones, and num_shots={num_shots}: set '
                             'num_shots to at least 2, or video_loss=None')
        self.lstm = nn.LSTM(in_channels, hidden, batch_first=True)
        self.key = nn.Linear(in_channels, hidden, bias=False)

    def predict(self, shots: Tensor) -> Tensor:
        """The LSTM's states after shots 1 to K - 1, ``(N, K - 1, E)``."""
        return self.lstm(shots[:, :-1])[0]

    def encode(self, shots: Tensor) -> Tensor:
        """W e of all shots, ``(N, K, E)``."""
        return self.key(shots)
