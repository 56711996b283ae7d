"""Temporal modules on top of image features: maps ``(N, D, T, h, w)`` to maps ``(N, out_channels, T, h, w)``.

What AdViSe trains (Wu et al., 2025, section 3.1 and section 3.4). None of them reduces time or space. Their names are
the words of :class:`~iboot_mm.models.backbones.image_tmm.ImageTMM`'s ``temporal``; the paper describes only the first,
so the inner widths and depths of the others are our choice: they work at ``hidden`` channels between two linear maps.
"""

import torch
from mmaction.models.backbones.swin import BasicLayer
from torch import Tensor, nn

HEAD_WIDTH = 64  # channels of an attention head, as in ViT-B and Swin's smaller stages


class Bottleneck(nn.Module):
    """A ResNet bottleneck without stride: ``first`` x1x1, ``middle`` x3x3, 1x1x1, each with BN, and a shortcut.

    Args:
        in_channels: Channels of the input; where they differ from ``out_channels``, the shortcut is a 1x1x1 convolution
            with BN.
        hidden: Channels of the convolution in the middle.
        out_channels: Channels of the output.
        first: Extent of the first convolution over time in frames, 1 or 3.
        middle: Extent of the one in the middle.
    """

    def __init__(self, in_channels: int, hidden: int, out_channels: int, first: int = 1, middle: int = 1) -> None:
        super().__init__()
        self.conv1 = convolution(in_channels, hidden, (first, 1, 1))
        self.conv2 = convolution(hidden, hidden, (middle, 3, 3))
        self.conv3 = convolution(hidden, out_channels, (1, 1, 1))
        self.shortcut = (nn.Identity() if in_channels == out_channels
                         else convolution(in_channels, out_channels, (1, 1, 1)))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, maps: Tensor) -> Tensor:
        hidden = self.relu(self.conv2(self.relu(self.conv1(maps))))
        return self.relu(self.conv3(hidden) + self.shortcut(maps))


def convolution(in_channels: int, out_channels: int, kernel: tuple[int, int, int]) -> nn.Sequential:
    """A 3D convolution that keeps time and space, and BN."""
    layer = nn.Conv3d(in_channels, out_channels, kernel, padding=[k // 2 for k in kernel], bias=False)
    nn.init.kaiming_normal_(layer.weight, mode='fan_out', nonlinearity='relu')
    return nn.Sequential(layer, nn.BatchNorm3d(out_channels))


def r3d(in_channels: int, out_channels: int, hidden: int, blocks: int, kernel: int) -> nn.Sequential:
    """A stage of blocks as R3D and Slow have them: ``kernel`` x1x1, 1x3x3, 1x1x1.

    With ``kernel=1`` it has the parameters of the paper's Tables 2, 3 and 6, and is what the public code builds. With 3
    it is the block of the paper's text; the parameters of its Table 8 (4.5 M) fit that.
    """
    widths = [in_channels] + [out_channels] * (blocks - 1)
    return nn.Sequential(*(Bottleneck(width, hidden, out_channels, first=kernel) for width in widths))


def bottleneck(in_channels: int, out_channels: int, hidden: int, blocks: int, kernel: int) -> nn.Sequential:
    """A stage of blocks with time in the middle: 1x1x1, ``kernel`` x3x3, 1x1x1; not the paper's, and larger for it."""
    widths = [in_channels] + [out_channels] * (blocks - 1)
    return nn.Sequential(*(Bottleneck(width, hidden, out_channels, middle=kernel) for width in widths))


def conv3d(in_channels: int, out_channels: int, hidden: int, blocks: int, kernel: int) -> nn.Sequential:
    """Plain ``kernel`` x3x3 convolutions with BN and ReLU, then a linear map of the channels."""
    widths = [in_channels] + [hidden] * (blocks - 1)
    layers = [layer for width in widths for layer in (convolution(width, hidden, (kernel, 3, 3)),
                                                      nn.ReLU(inplace=True))]
    return nn.Sequential(*layers, nn.Conv3d(hidden, out_channels, 1))


class Swin(nn.Sequential):
    """Blocks of Video Swin (https://arxiv.org/abs/2106.13230), MMAction2's, with windows of 8 x 7 x 7.

    Odd blocks shift their windows. Order in time is known from relative positions within a window.
    """

    def __init__(self, in_channels: int, out_channels: int, hidden: int, blocks: int) -> None:
        super().__init__(nn.Conv3d(in_channels, hidden, 1),
                         ChannelsFirst(BasicLayer(hidden, blocks, hidden // HEAD_WIDTH)),
                         nn.Conv3d(hidden, out_channels, 1))


class ChannelsFirst(nn.Module):
    """Back to ``(N, D, T, h, w)`` after a layer that ends with ``(N, T, h, w, D)``."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, maps: Tensor) -> Tensor:
        return self.layer(maps).permute(0, 4, 1, 2, 3)


class Transformer(nn.Module):
    """A transformer encoder over the frames at each place of the map; places talk only through the image model.

    Attention over all T h w tokens would cost (h w) times as much. Time is known from sines of the frame number.
    """

    def __init__(self, in_channels: int, out_channels: int, hidden: int, blocks: int) -> None:
        super().__init__()
        self.reduce = nn.Linear(in_channels, hidden)
        layer = nn.TransformerEncoderLayer(hidden, hidden // HEAD_WIDTH, 4 * hidden, dropout=0., activation='gelu',
                                           batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, blocks, nn.LayerNorm(hidden), enable_nested_tensor=False)
        self.expand = nn.Linear(hidden, out_channels)

    def forward(self, maps: Tensor) -> Tensor:
        num, _, _, height, width = maps.shape
        tokens = self.reduce(maps.permute(0, 3, 4, 2, 1).flatten(0, 2))  # (N h w, T, hidden)
        tokens = self.encoder(tokens + frame_positions(tokens))
        return self.expand(tokens).unflatten(0, (num, height, width)).permute(0, 4, 3, 1, 2)


def frame_positions(tokens: Tensor) -> Tensor:
    """Sines and cosines of the frame number ``(T, D)`` for tokens ``(..., T, D)`` (Vaswani et al., 2017, 3.5)."""
    steps, width = tokens.shape[-2:]
    rates = 10000 ** (-torch.arange(0, width, 2, device=tokens.device) / width)  # (D / 2,)
    angles = torch.arange(steps, device=tokens.device)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).to(tokens)


TEMPORAL_MODULES = dict(r3d=r3d, bottleneck=bottleneck, conv3d=conv3d, swin=Swin, transformer=Transformer)
