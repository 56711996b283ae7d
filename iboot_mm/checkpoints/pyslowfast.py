"""Checkpoints of PySlowFast (https://github.com/facebookresearch/SlowFast): names of the Slow networks' weights.

Its Slow networks and :class:`~iboot_mm.models.backbones.SlowResNet` are the same function of the same tensors at depth
50 and 101. Its Slow-18 is not: the stem has 16 channels there and the first stage 64. Contrastive files nest the
network in ``backbone.`` and its momentum copy in ``backbone_hist.``; supervised ones do not nest it.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace

import torch
import yaml
from mmaction.registry import MODELS

from ..models.backbones import SlowResNet
from ..weights.state_dicts import StateDict, misfits

ONLINE, MOMENTUM = 'backbone.', 'backbone_hist.'
DEPTHS = (50, 101)  # at which the networks are the same
BRANCHES = {'branch1': 'downsample', 'branch2.a': 'conv1', 'branch2.b': 'conv2', 'branch2.c': 'conv3'}
CLASSIFIER = {'head.projection.weight': 'cls_head.fc_cls.weight', 'head.projection.bias': 'cls_head.fc_cls.bias'}
# What else its contrastive models hold, for training alone.
SCAFFOLDING = {
    r'(backbone\.|backbone_hist\.)?head\.(projection|predictors)\..+': 'projection and prediction heads',
    r'queue_x|queue_swav|ptr|iter': 'the queue',
    r'(knn_mem|memory)\..+': 'memory banks',
    r'swav_prototypes\..+': "SwAV's prototypes",
}
# What all of its configs say unless they say otherwise.
NORMALIZATION = dict(mean=[.45, .45, .45], std=[.225, .225, .225])
TARGET_FPS = 30


@dataclass(frozen=True)
class Conversion:
    """A network under its new names.

    Attributes:
        state: Names to tensors.
        backbone: Config of the backbone.
        feature_dim: Width of its features.
        left_out: What was left out, and the names of it.
    """

    state: StateDict = field(repr=False)
    backbone: dict
    feature_dim: int
    left_out: dict[str, list[str]]


def own_name(peer: str) -> str | None:
    """``s2.pathway0_res0.branch2.b_bn.weight`` -> ``layer1.0.conv2.bn.weight``; None for what is no part of it."""
    if match := re.fullmatch(r's1\.pathway0_stem\.((?:conv|bn)\.\w+)', peer):
        return f'conv1.{match[1]}'
    if match := re.fullmatch(r's([2-5])\.pathway0_res(\d+)\.(branch1|branch2\.[abc])(_bn)?\.(\w+)', peer):
        stage, block, branch, norm, value = match.groups()
        return f'layer{int(stage) - 1}.{block}.{BRANCHES[branch]}.{"bn" if norm else "conv"}.{value}'
    return None


def peer_name(own: str) -> str | None:
    """The inverse of :func:`own_name`."""
    if match := re.fullmatch(r'conv1\.((?:conv|bn)\.\w+)', own):
        return f's1.pathway0_stem.{match[1]}'
    if match := re.fullmatch(r'layer([1-4])\.(\d+)\.(downsample|conv[123])\.(conv|bn)\.(\w+)', own):
        stage, block, part, kind, value = match.groups()
        branch = next(branch for branch, name in BRANCHES.items() if name == part)
        return f's{int(stage) + 1}.pathway0_res{block}.{branch}{"_bn" if kind == "bn" else ""}.{value}'
    return None


def from_peer(state: StateDict, momentum: bool = False) -> Conversion:
    """A network of PySlowFast under MMAction2's names: ``backbone.*`` and, of a supervised one, ``cls_head.fc_cls.*``.

    Args:
        state: ``model_state`` of the file.
        momentum: Take the momentum copy instead of the network that it follows.

    Raises:
        ValueError: there is no (such) Slow network, it lacks weights or has others, or the file holds what is unknown.
    """
    contrastive = any(key.startswith((ONLINE, MOMENTUM)) for key in state)
    if momentum and not any(key.startswith(MOMENTUM) for key in state):
        raise ValueError(f'it has no momentum copy ({MOMENTUM}*)')
    prefix, other = ('', None) if not contrastive else (MOMENTUM, ONLINE) if momentum else (ONLINE, MOMENTUM)
    converted, left_out, unknown = {}, defaultdict(list), []
    for key, value in state.items():
        name = own_name(key.removeprefix(prefix)) if key.startswith(prefix) else None
        if name:
            converted[f'backbone.{name}'] = value
        elif not contrastive and key in CLASSIFIER:
            converted[CLASSIFIER[key]] = value
        elif other and key.startswith(other):
            left_out['the online network' if momentum else 'the momentum copy'].append(key)
        elif what := next((what for pattern, what in SCAFFOLDING.items() if re.fullmatch(pattern, key)), None):
            left_out[what].append(key)
        else:
            unknown.append(key)
    return _checked(converted, dict(left_out), unknown)


def to_peer(state: StateDict) -> Conversion:
    """The inverse: a network of this project or of MMAction2 under the names of a supervised PySlowFast model.

    Args:
        state: ``backbone.*`` and anything beside it, of which only ``cls_head.fc_cls.*`` is taken; or a bare backbone.

    Raises:
        ValueError: it is no Slow network, or of a depth at which PySlowFast has none or another.
    """
    nested = any(key.startswith('backbone.') for key in state)
    heads = {own: peer for peer, own in CLASSIFIER.items()}
    own, left_out, unknown = {}, defaultdict(list), []
    for key, value in state.items():
        if peer_name(key.removeprefix('backbone.')) and key.startswith('backbone.') == nested:
            own[key if nested else f'backbone.{key}'] = value
        elif key in heads:
            own[key] = value
        elif nested and not key.startswith('backbone.'):
            left_out[f'{key.partition(".")[0]}.*'].append(key)
        else:
            unknown.append(key)
    conversion = _checked(own, dict(left_out), unknown)
    if conversion.backbone['depth'] not in DEPTHS:
        raise ValueError(f'PySlowFast has no Slow network like this one of depth {conversion.backbone["depth"]}, only '
                         f'{" and ".join(map(str, DEPTHS))}')
    renamed = {heads.get(key) or peer_name(key.removeprefix('backbone.')): value for key, value in own.items()}
    return replace(conversion, state=renamed)


def _checked(state: StateDict, left_out: dict[str, list[str]], unknown: list[str]) -> Conversion:
    """A conversion in which nothing is missing and nothing is unknown; ``state`` has MMAction2's names."""
    if unknown:
        raise ValueError(f'{len(unknown)} of its entries are unknown: {_listed(unknown)}')
    backbone = _describe(state)
    with torch.device('meta'):  # names and shapes, no memory
        network = MODELS.build(backbone)
    own = {f'backbone.{key}': value for key, value in network.state_dict().items()}
    width = len(own[next(key for key in reversed(own) if key.endswith('conv.weight'))])
    if any(key in state for key in CLASSIFIER.values()):
        classes = max(len(torch.atleast_1d(state[key])) for key in CLASSIFIER.values() if key in state)
        own |= dict(zip(CLASSIFIER.values(), (torch.empty(classes, width), torch.empty(classes))))
    if problems := list(misfits(own, state, 'backbone.')):
        raise ValueError(f'it is not the Slow network of depth {backbone["depth"]} ({_listed(problems)})')
    return Conversion(state, backbone, width, left_out)


def _describe(state: StateDict) -> dict:
    """Config of the network whose blocks these are."""
    found = {match.groups() for key in state if (match := re.match(r'backbone\.layer(\d)\.(\d+)\.', key))}
    blocks = tuple(sum(stage == str(s) for stage, _ in found) for s in (1, 2, 3, 4))
    expansion = 4 if 'backbone.layer1.0.conv3.conv.weight' in state else 1
    depth = next((depth for depth, (block, numbers) in SlowResNet.arch_settings.items()
                  if (block.expansion, numbers) == (expansion, blocks)), None)
    if depth is None:
        raise ValueError(f'it holds no Slow network: blocks per stage are {blocks}, as in none of depth '
                         f'{", ".join(map(str, SlowResNet.arch_settings))}')
    stem = state.get('backbone.conv1.conv.weight')
    width = {} if stem is None or stem.ndim != 5 or len(stem) == 64 else dict(base_channels=len(stem))
    return dict(type='SlowResNet', depth=depth, **width)


def _listed(names: list[str]) -> str:
    return ', '.join(names[:20]) + (f' and {len(names) - 20} more' if len(names) > 20 else '')


def read_settings(cfg: object) -> tuple[str, dict | None, dict]:
    """What a file's ``cfg`` tells of its network.

    Args:
        cfg: Text in YAML, as the peer writes it; anything else tells nothing.

    Returns:
        Its training (``'byol'``, ``'supervised'`` ...), or ``'unknown'``; its clips as in
        :class:`~iboot_mm.checkpoints.CheckpointInfo`, or None; the normalisation of its input, the peer's usual
        one where nothing is said.
    """
    try:
        cfg = yaml.safe_load(cfg) if isinstance(cfg, str) else None
    except (yaml.YAMLError, ValueError, RecursionError):
        cfg = None
    parts = (cfg.get(part) if isinstance(cfg, dict) else None for part in ('DATA', 'MODEL', 'CONTRASTIVE'))
    data, model, contrastive = (part if isinstance(part, dict) else {} for part in parts)
    training = 'supervised' if 'MODEL_NAME' in model else 'unknown'
    if model.get('MODEL_NAME') == 'ContrastiveModel':
        training = contrastive.get('TYPE', 'contrastive')
    normalization = dict(mean=data.get('MEAN', NORMALIZATION['mean']), std=data.get('STD', NORMALIZATION['std']))
    if not {'NUM_FRAMES', 'SAMPLING_RATE'} <= data.keys():
        return training, None, normalization
    return training, clip(data['NUM_FRAMES'], data['SAMPLING_RATE'], data.get('TARGET_FPS', TARGET_FPS)), normalization


def clip(frames: int, interval: int, target_fps: float | None = TARGET_FPS) -> dict:
    """Clips of T = ``frames`` and tau = ``interval`` ticks of the peer's clock; this project's evaluation crop."""
    return dict(clip_len=frames, frame_interval=interval, target_fps=target_fps, sampling='dense', size=224,
                short_side=256)
