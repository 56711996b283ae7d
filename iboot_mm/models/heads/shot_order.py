"""Whether shots come forward or reversed (VIVI, https://arxiv.org/abs/1912.02783, section 3.3 and section 4)."""

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor

from ..modules.projectors import MLP


@MODELS.register_module()
class ShotOrderHead(BaseModule):
    """Tells shots in their order from the same shots reversed, by an MLP on their concatenation.

    Every video is seen in both orders, which is the mean over the paper's random reversal. The MLP has one hidden layer
    and no BN, the latter our choice. The paper has it for 2 shots and reports that beside rotation it helped neither
    with 2 nor with 4 (section 5.1); what its MLP was for 4 is not said, and the same one is our choice.

    Args:
        in_channels: Width of the shot embeddings.
        num_shots: Shots of a video K, at least 2.
        hidden: Units of the hidden layer.
        init_cfg: mmengine's initialisation config.

    Raises:
        ValueError: a single shot.
    """

    def __init__(self, in_channels: int, num_shots: int, hidden: int = 512, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if num_shots < 2:
            raise ValueError(f'ShotOrderHead tells the order of shots, and num_shots={num_shots}: set num_shots to at '
                             'least 2, or video_loss=None')
        self.classify = MLP(num_shots * in_channels, hidden, 2, num_layers=2, norm=False)

    def forward(self, shots: Tensor) -> dict[str, Tensor]:
        """Shot embeddings ``(N, K, D)`` to ``loss``, ``accuracy`` and ``chance``."""
        with torch.autocast(shots.device.type, enabled=False):
            orders = torch.stack([shots, shots.flip(1)]).float()  # (2, N, K, D), forward first
            scores = self.classify(orders.flatten(0, 1).flatten(1))  # (2 N, 2)
            reversed_ = torch.arange(2, device=shots.device).repeat_interleave(len(shots))
            loss = F.cross_entropy(scores, reversed_)
            return dict(loss=loss, accuracy=(scores.argmax(-1) == reversed_).float().mean(),
                        chance=loss.new_full((), 1 / 2))
