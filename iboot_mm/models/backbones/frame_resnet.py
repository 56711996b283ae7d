"""The frame encoder of VIVI: timm's ResNet v2, on images and frame by frame on clips."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from mmaction.registry import MODELS
from mmengine.logging import print_log
from mmengine.model import BaseModule, initialize
from timm.layers import BatchNormAct2d, GroupNormAct, StdConv2d, create_conv2d
from timm.models.resnetv2 import ResNetV2
from torch import Tensor

from ...ranges import at_least
from ...weights.downloads import local_copy
from ...weights.state_dicts import load_strictly, read_state_dict

# As timm builds resnetv2_50 and resnetv2_50x1_bit (BiT, https://arxiv.org/abs/1912.11370).
NORMS = dict(
    bn=dict(conv_layer=create_conv2d, norm_layer=BatchNormAct2d),
    gn=dict(conv_layer=partial(StdConv2d, eps=1e-8), norm_layer=partial(GroupNormAct, num_groups=32),
            stem_type='fixed'))
HEAD = 'head.'


@MODELS.register_module()
class FrameResNetV2(ResNetV2, BaseModule):
    """ResNet-50 v2 without its classifier; names of weights stay timm's (VIVI, https://arxiv.org/abs/1912.02783, 4).

    Images ``(N, 3, H, W)`` to a map ``(N, D, H / 32, W / 32)``; clips ``(N, 3, T, H, W)``, frame by frame, to
    ``(N, D, T, H / 32, W / 32)``, as evaluations and ``Recognizer3D`` want it.

    | options                       | the same network in timm                | D    | weights  |
    |-------------------------------|-----------------------------------------|------|----------|
    | none                          | ``resnetv2_50``                         | 2048 | 23.50 M  |
    | ``width_factor=3``            | ``resnetv2_50`` with ``width_factor=3`` | 6144 | 211.17 M |
    | ``norm='gn'``                 | ``resnetv2_50x1_bit``                   | 2048 | 23.50 M  |
    | ``norm='gn', width_factor=3`` | ``resnetv2_50x3_bit``                   | 6144 | 211.17 M |

    ``num_classes=0, checkpoint_path=FILE`` fills the stock network with what was learned here: as ``timm.resnetv2_50``
    in MMAction2's ``Recognizer2D`` (TSN; TSM shifts inside ResNets of its own), as ``TIMMBackbone`` in MMPretrain, and
    in ``timm.create_model``. FILE is the ``_backbone`` one of ``tools/convert/publish.py``. Images must be RGB and
    normalised as here, by the mean and deviation of ImageNet, which configs of MMAction2 and MMPretrain state; timm's
    own data config says .5 and .5 for these names.

    The text at hand gives no more than "ResNet-50 v2", three times wider, BN, or GN and weight standardisation. The
    authors' earlier code (google/revisiting-self-supervised) has the same blocks, with the stride in the 3x3
    convolution, no norm in the stem, and residual branches that start alive, as here. It differs in that its max
    pooling pads with zeros (``stem_type='fixed'`` does that; here with GN only), weights start uniform (Glorot; here
    normal, by fan-out), and BN has an eps of .001 and a momentum of .01 (here 1e-5 and .1). 32 groups are BiT's.

    Example:
        >>> backbone = dict(type='FrameResNetV2')  # feature_dim=2048
        >>> backbone = dict(type='FrameResNetV2', layers=(1, 1, 1, 1), channels=(64, 128, 256, 512), stem_chs=32,
        ...                 output_stride=16)  # for a laptop and 48 pixels; feature_dim=512, maps of 3 x 3

    Args:
        layers: Blocks per stage.
        channels: Of each stage's map, before ``width_factor``.
        width_factor: Multiple of all widths, the stem's too.
        norm: ``'bn'``, or ``'gn'`` for GroupNorm (32 groups) and weight standardisation.
        pretrained: File or URL to start from instead of random weights: timm's own, whose classifier is left out, or
            ``backbone.*`` of a checkpoint.
        with_cp: Recompute the blocks in the backward pass, for memory.
        as_tuple: Return ``(map, )``, as MMPretrain's necks and heads expect it.
        init_cfg: mmengine's initialisation config; of type ``Pretrained`` it does what ``pretrained`` does.
        **kwargs: Of timm's ``ResNetV2``.

    Raises:
        ValueError: an unknown norm, other than one width per stage, or widths that 32 groups cannot share.
    """

    pretrained: str | None = None  # timm's constructor draws the weights before it is known

    def __init__(self, layers: Sequence[int] = (3, 4, 6, 3), channels: Sequence[int] = (256, 512, 1024, 2048),
                 width_factor: int = 1, norm: str = 'bn', pretrained: str | None = None, with_cp: bool = False,
                 as_tuple: bool = False, init_cfg: dict | None = None, **kwargs: Any) -> None:
        at_least(1, 'FrameResNetV2', width_factor=width_factor)
        if norm not in NORMS:
            raise ValueError(f"FrameResNetV2: norm is 'bn' or 'gn', got {norm!r}")
        if len(layers) != len(channels):
            raise ValueError(f'FrameResNetV2: layers and channels have one entry per stage, got {tuple(layers)} and '
                             f'{tuple(channels)}')
        try:
            super().__init__(layers, channels, num_classes=0, width_factor=width_factor, **{**NORMS[norm], **kwargs})
        except ValueError as error:
            if 'num_groups' not in str(error):
                raise
            raise ValueError("FrameResNetV2: norm='gn' has 32 groups, so the widths of the stem (stem_chs), of the "
                             'stages (channels) and of their bottlenecks (a quarter of it) must be multiples of 32, '
                             f'got channels={tuple(channels)}') from None
        self.pretrained, self.init_cfg, self.as_tuple = pretrained, init_cfg, as_tuple
        self.set_grad_checkpointing(with_cp)

    def init_weights(self, zero_init_last: bool = False) -> None:
        """Starts from ``pretrained``, or from the file that ``init_cfg`` names, or at random.

        timm's own default would start the branches at 0, which weight standardisation makes 10^4 times too fast: the
        gradient of a kernel is divided by its standard deviation.

        Args:
            zero_init_last: Whether the last convolution of each block starts at 0.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file does not fit; names the keys.
        """
        source, prefix = self.pretrained, 'backbone.'
        if source is None and isinstance(self.init_cfg, dict) and self.init_cfg['type'] == 'Pretrained':
            source, prefix = self.init_cfg['checkpoint'], self.init_cfg.get('prefix') or prefix
        if source is None:
            ResNetV2.init_weights(self, zero_init_last=zero_init_last)
            if self.init_cfg:
                initialize(self, self.init_cfg)
            return
        file = local_copy(source)
        print_log(f'load backbone from {file}', logger='current')
        state = read_state_dict(file, (prefix.rstrip('.') + '.',))
        load_strictly(self, {key: value for key, value in state.items() if not key.startswith(HEAD)}, str(file))

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor]:
        """Images ``(N, 3, H, W)`` to a map ``(N, D, h, w)``, clips ``(N, 3, T, H, W)`` to ``(N, D, T, h, w)``."""
        if images.ndim == 5:
            maps = self.forward_features(images.transpose(1, 2).flatten(0, 1))
            maps = maps.unflatten(0, (-1, images.shape[2])).transpose(1, 2)
        else:
            maps = self.forward_features(images)
        return (maps,) if self.as_tuple else maps
