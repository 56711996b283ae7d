"""The paper's Slow networks: the Slow pathway of SlowFast (https://arxiv.org/abs/1812.03982), depth 18, 50 and 101."""

from collections.abc import Sequence
from typing import Any

from mmaction.models.backbones.resnet3d import BasicBlock3d
from mmaction.models.backbones.resnet3d_slowonly import ResNet3dSlowOnly
from mmaction.registry import MODELS
from mmcv.cnn import ConvModule
from mmengine.logging import print_log

from ...weights.downloads import local_copy
from ...weights.state_dicts import load_strictly, read_state_dict
from .inflation import load_inflated

# SlowFast inflates at most this many blocks of res2 ... res5, those of a ResNet-50, however deep the network is.
INFLATED_BLOCKS = (0, 0, 6, 3)


class SlowBasicBlock3d(BasicBlock3d):
    """A basic block whose second convolution stays 1x3x3: only the first one mixes time, as in SlowFast."""

    def __init__(self, inplanes: int, planes: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(inplanes, planes, *args, **kwargs)
        if self.inflate:
            self.conv2 = ConvModule(
                planes,
                planes * self.expansion,
                (1, 3, 3),
                padding=(0, 1, 1),
                bias=False,
                conv_cfg=self.conv_cfg,
                norm_cfg=self.norm_cfg,
                act_cfg=None,
            )


@MODELS.register_module()
class SlowResNet(ResNet3dSlowOnly):
    """The paper's Slow networks; clips ``(N, 3, T, H, W)`` to ``(N, D, T, H / 32, W / 32)``, D = 512 (R18) or 2048.

    | depth | with 400 classes | multiply-adds at 8 x 224 x 224 (convolutions) | MMAction2's ``ResNet3dSlowOnly`` |
    |-------|------------------|------------------------------------------------|----------------------------------|
    | 18    | 20.23 M          | 20.06 G                                        | 32.03 M, 27.46 G                 |
    | 50    | 32.45 M          | 41.74 G                                        | the same network                 |
    | 101   | 51.45 M          | 71.44 G (93.31 G, the paper's, at 256 x 256)   | 60.36 M, 85.41 G                 |

    There is no stride over time: 16 frames (16x4) cost twice as much, 32 (32x2) four times; see
    ``tools/analysis/count_backbones.py``.

    Names of weights are those of ``ResNet3dSlowOnly``, so R50 weights fit it as they are; R18 and R101 need this type
    in the recognizer's config (with ``custom_imports = dict(imports=['iboot_mm'])``).

    Deviations from ``ResNet3dSlowOnly``: fewer inflated blocks and one inflated convolution per basic block (see
    above); the last BN of a block starts at 1 (``zero_init_residual=False``, as PySlowFast's video SSL); files load
    completely or not at all; ``init_cfg`` is obeyed; ``train()`` returns the network.

    Args:
        depth: 18, 34, 50, 101 or 152.
        pretrained: File, URL or ``torchvision://resnet50`` to start from instead of random weights.
        pretrained2d: Whether that file holds a 2D ResNet to inflate (names of torchvision, timm or mmpretrain) or a 3D
            one (this class's names, alone or as ``backbone.*`` of a checkpoint).
        inflate: Per stage, or per block of a stage, whether to mix time; SlowFast's choice by default.
        zero_init_residual: Whether the last BN of each block starts at 0.
        **kwargs: Of ``ResNet3dSlowOnly``.
    """

    arch_settings = {
        **ResNet3dSlowOnly.arch_settings,
        18: (SlowBasicBlock3d, (2, 2, 2, 2)),
        34: (SlowBasicBlock3d, (3, 4, 6, 3)),
    }

    def __init__(
        self,
        depth: int = 50,
        pretrained: str | None = None,
        pretrained2d: bool = True,
        inflate: Sequence[int | Sequence[int]] | None = None,
        zero_init_residual: bool = False,
        **kwargs: Any,
    ) -> None:
        if depth not in self.arch_settings:
            raise ValueError(f'SlowResNet: depth is one of {", ".join(map(str, self.arch_settings))}, got {depth}.')
        if inflate is None:
            blocks = kwargs.get('stage_blocks') or self.arch_settings[depth][1][: kwargs.get('num_stages', 4)]
            inflate = [[int(i < most) for i in range(count)] for count, most in zip(blocks, INFLATED_BLOCKS)]
        super().__init__(
            depth=depth,
            pretrained=pretrained,
            pretrained2d=pretrained2d,
            inflate=tuple(inflate),
            zero_init_residual=zero_init_residual,
            **kwargs,
        )

    def init_weights(self, pretrained: str | None = None) -> None:
        """Starts from ``pretrained``, or from the file that ``init_cfg`` names, or at random.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file does not fit; names the keys.
        """
        source, inflating, prefix = pretrained or self.pretrained, self.pretrained2d, 'backbone.'
        if source is None and isinstance(self.init_cfg, dict) and self.init_cfg['type'] == 'Pretrained':
            source, inflating, prefix = self.init_cfg['checkpoint'], False, self.init_cfg.get('prefix') or prefix
        if source is None:
            super().init_weights()
            return
        file = local_copy(source)
        print_log(f'load backbone from {file}', logger='current')
        load = load_inflated if inflating else load_strictly
        load(self, read_state_dict(file, (prefix.rstrip('.') + '.',)), str(file))

    def train(self, mode: bool = True) -> 'SlowResNet':
        """Sets the mode; stages that are frozen stay in eval mode. MMAction2's own returns ``None``."""
        super().train(mode)
        return self
