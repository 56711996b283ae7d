"""How far a frame is turned (VIVI, https://arxiv.org/abs/1912.02783, section 3.2)."""

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn


@MODELS.register_module()
class RotationHead(BaseModule):
    """Tells by how many quarters each frame is turned; every frame is seen in all four positions.

    As in RotNet (https://arxiv.org/abs/1803.07728), which the paper cites; the class scores are a linear map of the
    features, and only the upright frames make the shot's embedding: our choice.

    Args:
        in_channels: Width of the features.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(self, in_channels: int, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.classify = nn.Linear(in_channels, 4)

    def copies(self, frames: Tensor) -> Tensor:
        """The frames ``(B, C, T, H, W)`` turned by 0 to 3 quarters: ``(4, B, C, T, H, W)``, upright first.

        Raises:
            ValueError: the frames are not square.
        """
        height, width = frames.shape[-2:]
        if height != width:
            raise ValueError(f'RotationHead turns frames by quarters and got {height} x {width} pixels: set a square '
                             'size in CropViews')
        return torch.stack([frames.rot90(quarters, dims=(-2, -1)) for quarters in range(4)])

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Features ``(4, N, K, L, D)`` to ``loss``, ``accuracy`` and ``chance``."""
        with torch.autocast(features.device.type, enabled=False):
            scores = self.classify(features.float()).flatten(1, -2)  # (4, N K L, 4)
            quarters = torch.arange(4, device=scores.device)[:, None].expand(scores.shape[:2])
            loss = F.cross_entropy(scores.flatten(0, 1), quarters.flatten())
            return dict(loss=loss, accuracy=(scores.argmax(-1) == quarters).float().mean(),
                        chance=loss.new_full((), 1 / 4))
