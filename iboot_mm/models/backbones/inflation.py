"""Weights of a 2D ResNet for a 3D one (I3D inflation, https://arxiv.org/abs/1705.07750).

torchvision, timm and mmpretrain name the parts of a plain ResNet alike (``layer1.0.conv1``, ``layer1.0.bn1``,
``layer1.0.downsample.0``); MMAction2's ResNet3d names them ``layer1.0.conv1.conv``, ``layer1.0.conv1.bn``,
``layer1.0.downsample.conv``. What differs between libraries and methods is what the names are nested in:
``state_dict``, ``backbone.``, ``module.`` (SwAV), ``teacher`` (DINO), ``module.encoder_q.`` (MoCo),
``module.base_encoder.`` (MoCo v3). Of two networks in one file the one is taken that its authors evaluate: DINO's
teacher (:mod:`~iboot_mm.weights.state_dicts` opens it), MoCo's online encoder.
"""

import re

from mmengine.logging import print_log
from torch import Tensor, nn

from ...weights.state_dicts import StateDict, load_strictly

MOMENTUM_COPIES = ('encoder_k.', 'momentum_encoder.')
# A downsample branch is conv 0, norm 1; elsewhere convN goes with bnN.
RULES = (
    (r'(.*downsample)\.conv\.(.*)', r'\1.0.\2'),
    (r'(.*downsample)\.bn\.(.*)', r'\1.1.\2'),
    (r'(.*)conv(\d)\.conv\.(.*)', r'\1conv\2.\3'),
    (r'(.*)conv(\d)\.bn\.(.*)', r'\1bn\2.\3'),
)


def name_in_2d(name: str) -> str:
    """A part of a ResNet3d as a 2D ResNet names it: ``layer1.0.conv1.bn.weight`` -> ``layer1.0.bn1.weight``."""
    for pattern, replacement in RULES:
        if match := re.fullmatch(pattern, name):
            return match.expand(replacement)
    return name


def encoder_prefix(state: StateDict, source: str) -> str:
    """What the names of the ResNet in ``state`` start with, MoCo's momentum copy aside.

    Raises:
        ValueError: there is no ResNet in it, or more than one.
    """
    stem = 'conv1.weight'
    prefixes = [
        key[: -len(stem)]
        for key in state
        if key.endswith(stem) and f'{key[: -len(stem)]}layer1.0.conv1.weight' in state
    ]
    prefixes = [prefix for prefix in prefixes if not prefix.endswith(MOMENTUM_COPIES)] or prefixes
    if not prefixes:
        names = ', '.join(list(state)[:4])
        raise ValueError(
            f'{source} holds no plain 2D ResNet (conv1, layer1.0.conv1, ... as in torchvision, timm, mmpretrain); '
            f'its names start with {names}. For a file of 3D weights set pretrained2d=False.'
        )
    if len(prefixes) > 1:
        raise ValueError(f'{source} holds several ResNets ({", ".join(prefixes)}); save the one to start from alone.')
    return prefixes[0]


def inflate(kernel: Tensor, depth: int) -> Tensor:
    """A 2D kernel ``(O, I, H, W)`` as ``(O, I, depth, H, W)`` that sums to it over time: still clips see no change."""
    return kernel.unsqueeze(2).expand(-1, -1, depth, -1, -1) / depth


def load_inflated(network: nn.Module, state: StateDict, source: str) -> None:
    """Fills a ResNet3d from the weights of a 2D ResNet; all of it or nothing.

    Args:
        network: An MMAction2 ``ResNet3d`` of any kind.
        state: Weights of a torchvision, timm or mmpretrain ResNet; its classifier or projection is left out.
        source: What to call the file in errors.

    Raises:
        ValueError: a part has no counterpart, or one of another shape; names them, and the file.
    """
    prefix = encoder_prefix(state, source)
    inflated, used = {}, set()
    for name, own in network.state_dict().items():
        key = prefix + name_in_2d(name)
        if key not in state:
            continue  # load_strictly says what is missing
        value = state[key]
        if own.dim() == 5 and value.dim() == 4:
            value = inflate(value, own.shape[2])
        inflated[name] = value
        used.add(key)
    load_strictly(network, inflated, source)
    left_out = [key for key in state if key not in used]
    print_log(
        f'Inflated {len(used)} tensors of {source}; left out: {", ".join(left_out) or "nothing"}.', logger='current'
    )
