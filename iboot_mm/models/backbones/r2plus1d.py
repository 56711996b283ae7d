"""R(2+1)D-18 (https://arxiv.org/abs/1711.11248) as the large-scale study builds it (its Tables 5 and 11)."""

from mmaction.registry import MODELS
from torch import nn
from torchvision.models.video.resnet import BasicBlock, BasicStem, Conv2Plus1D, VideoResNet

from .torchvision_video import HeadlessVideoNetwork


class EvenConv2Plus1D(Conv2Plus1D):
    """1x3x3, BN, ReLU, 3x1x1, with as many channels between the two as come out.

    R(2+1)D's own has more of them (its section 3.5), so that both together have the weights of one 3x3x3 convolution.
    """

    def __init__(self, in_planes: int, out_planes: int, midplanes: int, stride: int = 1, padding: int = 1) -> None:
        super().__init__(in_planes, out_planes, out_planes, stride, padding)


class PoolingStem(BasicStem):
    """One convolution of 3x7x7 and a maximum over 1x3x3, each of which halves height and width."""

    def __init__(self) -> None:
        super().__init__()
        self.append(nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)))


@MODELS.register_module()
class R2Plus1D18(HeadlessVideoNetwork):
    """The study's R(2+1)D-18; clips ``(N, 3, T, H, W)`` to ``(N, 512, T / 8, H / 32, W / 32)``.

    The study says no more of it than 15.4 M weights and 48.5 G multiply-adds at 32 x 224 x 224 (Table 5). This one has
    15.38 M without classifier and 48.50 G; torchvision's (``TorchvisionVideoBackbone``) has 31.30 M and 324.15 G,
    MMAction2's ``ResNet2Plus1d`` of depth 18 33.23 M and 92.88 G. Of stems, widths, orders and strides that are usual,
    both numbers leave these:

    - as many channels between the two convolutions as come out, where R(2+1)D balances weights: half the weights;
    - a maximum after the stem, as in the Slow networks: a quarter of the work after it;
    - space before time and time halved with space from the second stage on, as in R(2+1)D.

    The stem is **our choice** of two that are left: a whole 3x7x7 convolution, or one factorised over the 83 channels
    of R(2+1)D's formula (15.38 M, 48.47 G).

    Names of weights are those of torchvision's ``VideoResNet``.

    Example:
        >>> backbone = dict(type='R2Plus1D18')  # feature_dim=512

    Args:
        pretrained: File or URL to start from instead of random weights: ``backbone.*`` of a checkpoint, or the
            network's own.
    """

    def __init__(self, pretrained: str | None = None) -> None:
        super().__init__(VideoResNet(BasicBlock, [EvenConv2Plus1D] * 4, [2, 2, 2, 2], PoolingStem), pretrained)
