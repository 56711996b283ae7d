"""Where a temporal module responds, beside an untrained one and its image model (AdViSe, section 4.3, Figure 7)."""

import torch
from torch import Tensor

from ..checkpoints.description import CheckpointInfo
from ..models.backbones import ImageTMM
from ..models.backbones.image_tmm import TEMPORAL, build_temporal
from .layers import Layer


@torch.no_grad()
def activation_layers(info: CheckpointInfo, clips: Tensor) -> list[Layer]:
    """What each place of each frame gives, as the mean over channels, which is how the public code draws its figure.

    Args:
        info: A checkpoint of :class:`~iboot_mm.models.backbones.ImageTMM`.
        clips: Clips ``(N, C, T, H, W)`` in [0, 1], drawn one after the other.

    Returns:
        Three layers: of the trained module, of the same module with random weights from seed 0, of the image model.

    Raises:
        ValueError: the backbone is another one, or has no temporal module.
        ConnectionError: the image model's weights are not here and the hub is out of reach.
    """
    if info.backbone['type'] != 'ImageTMM' or info.backbone.get('temporal', TEMPORAL) is None:
        raise ValueError(f'{info.path} has no temporal module on an image model: activation maps are of ImageTMM')
    backbone: ImageTMM = info.build_encoder().eval().backbone
    tokens = backbone.image_maps(clips)  # (N, D, T, h, w)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        untrained = build_temporal(tokens.shape[1], backbone.out_channels, info.backbone.get('temporal', TEMPORAL))
    maps = {'trained': backbone.temporal(tokens), 'untrained': untrained.eval()(tokens), 'image model': tokens}
    return [Layer(name, values.mean(dim=1).flatten(0, 1).float().numpy(), 'activation')
            for name, values in maps.items()]
