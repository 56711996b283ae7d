"""From frames' features to a shot's embedding (VIVI, https://arxiv.org/abs/1912.02783, section 3.1)."""

import torch
from torch import Tensor, nn


class AveragePool(nn.Module):
    """The mean over frames, the paper's p: ``(..., L, D)`` to ``(..., D)``, float32."""

    def forward(self, frames: Tensor) -> Tensor:
        return frames.float().mean(dim=-2)


class AttentionPool(nn.Module):
    """A mean over frames whose weights are a softmax of a linear map of each: ``(..., L, D)`` to ``(..., D)``, float32.

    The paper names attention and gives no form of it: our choice. It starts as the average.

    Args:
        in_channels: Width D of the features.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.score = nn.Linear(in_channels, 1, bias=False)  # a bias would move all scores alike
        nn.init.zeros_(self.score.weight)

    def forward(self, frames: Tensor) -> Tensor:
        with torch.autocast(frames.device.type, enabled=False):
            frames = frames.float()
            return (self.score(frames).softmax(dim=-2) * frames).sum(dim=-2)
