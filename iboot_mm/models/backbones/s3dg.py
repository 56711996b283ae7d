"""S3D-G (https://arxiv.org/abs/1712.04851) as the large-scale study builds it (its Tables 5 and 11)."""

from mmaction.registry import MODELS
from torch import Tensor, nn
from torchvision.models.video.s3d import S3D, SepInceptionBlock3D

from .torchvision_video import HeadlessVideoNetwork


class FeatureGate(nn.Module):
    """Scales each channel by a sigmoid of all channels' averages over space and time.

    Args:
        channels: C of maps ``(N, C, T, H, W)``.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv3d(channels, channels, 1, bias=False)
        nn.init.trunc_normal_(self.mix.weight, std=.01, a=-.02, b=.02)

    def forward(self, maps: Tensor) -> Tensor:
        """``(N, C, T, H, W)`` to the same."""
        return maps * self.mix(maps.mean(dim=(2, 3, 4), keepdim=True)).sigmoid()


@MODELS.register_module()
class S3DG(HeadlessVideoNetwork):
    """The study's S3D-G; clips ``(N, 3, T, H, W)`` to ``(N, 1024, T / 8, H / 32, W / 32)``.

    torchvision's S3D with a gate after the separable convolution of the stem and after each branch of the nine
    inception blocks, where the authors' code (``s3dg.py`` of TensorFlow's Slim) has them: without a bias, and drawn as
    there, so that each begins near 1/2. The study says no more of it than 9.1 M weights and 36.0 G multiply-adds at
    32 x 224 x 224 (Table 5); this one has 9.13 M without classifier (9.09 M without the stem's gate) and 35.96 G,
    S3D 7.91 M and 35.96 G.

    Convolutions begin as in the study (B.1): normally distributed by the number of their outputs (He et al., 2015).
    Names of weights are those of torchvision's ``S3D``; a gate is the last part of what it follows.

    Deviations from the authors' code, torchvision's: the first convolution is factorised, too (theirs would make
    32.1 G, or 39.6 G with 7 frames), and BN and ReLU follow the convolutions over time, too. BN's statistics move with
    a momentum of .1, not .001.

    Example:
        >>> backbone = dict(type='S3DG')  # feature_dim=1024, at least 5 x 17 x 17

    Args:
        pretrained: File or URL to start from instead of random weights: ``backbone.*`` of a checkpoint, or the
            network's own.
    """

    def __init__(self, pretrained: str | None = None) -> None:
        network = S3D()
        for module in network.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')
        blocks = [block for block in network.features if isinstance(block, SepInceptionBlock3D)]
        branches = [branch for block in blocks for branch in block.children()]
        for gated in (network.features[3], *branches):
            widths = [module.out_channels for module in gated.modules() if isinstance(module, nn.Conv3d)]
            gated.append(FeatureGate(widths[-1]))
        super().__init__(network, pretrained)
