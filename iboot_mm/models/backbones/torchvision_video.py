"""torchvision's convolutional video networks as backbones: R(2+1)D-18, S3D and their kin."""

import torchvision
from mmaction.registry import MODELS
from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...weights.downloads import local_copy
from ...weights.state_dicts import load_strictly, read_state_dict

NAMES = ('r3d_18', 'mc3_18', 'r2plus1d_18', 's3d')
HEAD = ('avgpool', 'fc', 'classifier')


class HeadlessVideoNetwork(BaseModule):
    """A network built of torchvision's parts without pooling and classifier; names of weights stay torchvision's.

    Args:
        network: The whole network. What is left of it are its parts but ``HEAD``, one after another.
        pretrained: File or URL to start from instead of random weights: one of the whole network, whose classifier is
            left out, or ``backbone.*`` of a checkpoint.
    """

    def __init__(self, network: nn.Module, pretrained: str | None = None) -> None:
        super().__init__()
        self.pretrained = pretrained
        for part, module in network.named_children():
            if part not in HEAD:
                self.add_module(part, module)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm3d):
                module.momentum = 0.1

    def init_weights(self) -> None:
        """Starts from ``pretrained``; without it the random weights of the constructor remain.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file does not fit; names the keys.
        """
        if self.pretrained is None:
            return
        file = local_copy(self.pretrained)
        print_log(f'load backbone from {file}', logger='current')
        state = read_state_dict(file)
        load_strictly(self, {key: value for key, value in state.items() if key.split('.')[0] not in HEAD}, str(file))

    def forward(self, clips: Tensor) -> Tensor:
        """Clips ``(N, 3, T, H, W)`` to the last map ``(N, D, T', H', W')``."""
        for module in self.children():
            clips = module(clips)
        return clips


@MODELS.register_module()
class TorchvisionVideoBackbone(HeadlessVideoNetwork):
    """A network of ``torchvision.models.video`` without pooling and classifier; names of weights stay torchvision's.

    Clips ``(N, 3, T, H, W)`` to a map ``(N, D, T', H', W')``, with D the ``feature_dim`` of the pre-trainers:

    | name        | D    | T'    | H'     | weights without classifier, multiply-adds at 32 x 224 x 224 |
    |-------------|------|-------|--------|--------------------------------------------------------------|
    | r2plus1d_18 | 512  | T / 8 | H / 16 | 31.30 M, 324.15 G                                            |
    | s3d         | 1024 | T / 8 | H / 32 | 7.91 M, 35.96 G                                              |

    These are NOT the networks of the large-scale study, which are :class:`~iboot_mm.models.backbones.R2Plus1D18` and
    :class:`~iboot_mm.models.backbones.S3DG`. r3d_18 and mc3_18 (D = 512) come with the same code.

    Deviation from torchvision: the running statistics of S3D's BN move with a momentum of .1, as those of all other
    backbones, not .001, with which 37 % of their initial values are left after 1000 steps.

    Example:
        >>> backbone = dict(type='TorchvisionVideoBackbone', name='s3d')  # feature_dim=1024, at least 5 x 17 x 17

    Args:
        name: One of r3d_18, mc3_18, r2plus1d_18 and s3d.
        pretrained: File or URL to start from instead of random weights: torchvision's own, whose classifier is left
            out, or ``backbone.*`` of a checkpoint.

    Raises:
        ValueError: unknown name.
    """

    def __init__(self, name: str, pretrained: str | None = None) -> None:
        if name not in NAMES:
            raise ValueError(f'TorchvisionVideoBackbone: name is one of {", ".join(NAMES)}, got {name!r}.')
        super().__init__(torchvision.models.get_model(name, weights=None), pretrained)
