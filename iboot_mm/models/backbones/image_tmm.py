"""A frozen image model and a small temporal module as one video backbone: AdViSe (Wu et al., 2025).

"Advancing Video Self-Supervised Learning via Image Foundation Models", section 3.1, section 3.3 and section 3.4. The
released code has no licence: this follows the paper's text and tables. The published network is ``r3d`` with ``kernel``
1, to which its parameters and its code agree: frames meet in the pooling of the head alone, so the result does not
depend on their order. ``kernel`` 3 is the block of the text, which mixes neighbouring frames.
"""

import inspect

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...ranges import at_least
from ..encoders.video import BACKBONE_MEAN, BACKBONE_STD
from ..modules.temporal_modules import HEAD_WIDTH, TEMPORAL_MODULES
from ..teachers import FrozenTeacher

# The paper's standard: one R3D block of 256 channels (section 3.4, Finding 4), as published.
TEMPORAL = dict(type='r3d', hidden=256, blocks=1, kernel=1)


@MODELS.register_module()
class ImageTMM(BaseModule):
    """Patch tokens of frozen image models as maps over space and time, and a temporal module that is trained.

    Clips ``(N, 3, T, H, W)``, normalised as MMAction2's recognizers do it, to a map ``(N, out_channels, T, h, w)``; so
    it is a backbone for any ``Recognizer3D``, and a student of iBoot. The image model sees the frames in its own
    normalisation and size. It is not part of the state dict: a checkpoint holds the temporal module alone, and the
    config says what it belongs to.

    Example:
        >>> backbone = dict(
        ...     type='ImageTMM',
        ...     teacher=dict(type='OpenCLIPTeacher', model='ViT-B-16', pretrained='openai'),
        ...     temporal=dict(type='r3d', kernel=1))

    Args:
        teacher: Config of an image model of :mod:`iboot_mm.models.teachers`, whose ``output`` is set to ``'tokens'``,
            or a list of them, whose channels are joined (Table 4) at the smallest of their grids.
        temporal: ``type`` (``'r3d'``, ``'bottleneck'``, ``'conv3d'``, ``'swin'`` or ``'transformer'``) and what differs
            from the paper's ``TEMPORAL``: ``hidden`` channels, ``blocks``, and for the convolutions ``kernel``, 1 or 3
            frames (without it 1 of ``'r3d'``, 3 of the others). None: no module, tokens go to the head (Table 5,
            average pooling).
        out_channels: Channels of the map; 1024 in the paper.
        resolution: Height and width to which the grid of patches is averaged (Finding 1); None for all of it.
        channels: Channels to which neighbouring ones are averaged (Finding 2), a divisor of the image model's width;
            None for all.
        stored_width: Channels of stored token maps (see :class:`~iboot_mm.datasets.transforms.OpenTokens`) that come in
            place of clips; the image model, which made them, is then not built. None: clips come.
        mean: Of the normalisation in front of this backbone, on the [0, 1] scale.
        std: As ``mean``.
        init_cfg: mmengine's initialisation config.

    Attributes:
        out_channels: Channels of the map: with ``temporal=None`` the image model's.

    Raises:
        ValueError: an unknown temporal module or option, a width that cannot be, an image model without a square grid
            of patch tokens for every frame, no image model.
    """

    def __init__(self, teacher: dict | list[dict], temporal: dict | None = TEMPORAL, out_channels: int = 1024,
                 resolution: int | None = None, channels: int | None = None, stored_width: int | None = None,
                 mean: tuple[float, ...] = BACKBONE_MEAN, std: tuple[float, ...] = BACKBONE_STD,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        at_least(1, 'ImageTMM', out_channels=out_channels)
        configs = teacher if isinstance(teacher, list) else [teacher]
        if not configs or not all(isinstance(config, dict) for config in configs):
            raise ValueError('ImageTMM: teacher is the config of an image model, such as _base_.teacher of a file in '
                             f'configs/_base_/teachers, or a list of them; got {teacher!r}')
        # No nn.Modules: neither checkpoint nor optimizer nor SyncBN conversion can find them.
        self.teachers = [] if stored_width else [build_image_model(config) for config in configs]
        width = stored_width or sum(teacher.width for teacher in self.teachers)
        self.stored_width = stored_width
        if channels is not None and (channels < 1 or width % channels):
            raise ValueError(f'ImageTMM: channels={channels} does not divide the {width} channels of '
                             f'{_names(self.teachers) or "the stored maps"}')
        if resolution is not None and resolution < 1:
            raise ValueError(f'ImageTMM: resolution={resolution} counts patches and must be at least 1')
        self.resolution, self.channels = resolution, channels
        self.temporal = None if temporal is None else build_temporal(channels or width, out_channels, temporal)
        self.out_channels = (channels or width) if temporal is None else out_channels
        shape = (3, 1, 1, 1)
        self.register_buffer('mean', torch.tensor(mean).view(shape), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(shape), persistent=False)
        if self.temporal is not None:
            size = sum(parameter.numel() for parameter in self.temporal.parameters()) / 1e6
            print_log(f'ImageTMM: temporal module {temporal.get("type", TEMPORAL["type"])!r} of {size:.2f} M '
                      'parameters', logger='current')

    def forward(self, clips: Tensor) -> Tensor:
        """Clips ``(N, 3, T, H, W)``, or stored maps ``(N, D, T, h, w)``, to a map ``(N, out_channels, T, h, w)``.

        Raises:
            ValueError: there is an image model and stored maps come, or the other way round.
        """
        wanted = self.stored_width or 3
        if clips.shape[1] != wanted:
            raise ValueError(f'ImageTMM: {wanted} channels are expected with stored_width={self.stored_width}, but '
                             f'{clips.shape[1]} came: stored token maps need it set to their channels, clips None')
        maps = self.reduce([clips]) if self.stored_width else self.image_maps(clips * self.std + self.mean)
        return maps if self.temporal is None else self.temporal(maps)

    @torch.no_grad()
    def image_maps(self, clips: Tensor) -> Tensor:
        """What the image models see in clips ``(N, 3, T, H, W)`` in [0, 1]: maps ``(N, D, T, h, w)``, reduced."""
        return self.reduce([token_grid(teacher(clips), teacher.name) for teacher in self.teachers])

    def reduce(self, maps: list[Tensor]) -> Tensor:
        """Maps ``(N, D, T, h, w)``, each of its own D and h = w, joined at one resolution and with fewer channels."""
        finest = min(grid.shape[-1] for grid in maps)
        side = self.resolution or finest
        if side > finest:
            raise ValueError(f'ImageTMM: resolution={side} is finer than the grid of {finest} x {finest} patches')
        joined = torch.cat([grid if grid.shape[-1] == side else F.adaptive_avg_pool3d(grid, (None, side, side))
                            for grid in maps], dim=1)
        return joined if self.channels is None else joined.unflatten(1, (self.channels, -1)).mean(dim=2)


def build_image_model(config: dict) -> FrozenTeacher:
    """A teacher that gives the patch tokens of every frame.

    Raises:
        ValueError: it has none, or leaves out frames.
    """
    try:
        teacher = MODELS.build(dict(config, output='tokens'))
    except (TypeError, ValueError) as error:
        if 'output' not in str(error):
            raise
        reason = str(error).partition(';')[0]  # what follows names another output, which is no use here
        raise ValueError('ImageTMM needs the patch tokens of its image model, so set teacher to another one: '
                         f'{reason}') from None
    for option, whole in (('frames', None), ('shown', 'frames')):
        value = getattr(teacher, option)
        if value != whole:
            raise ValueError(f'ImageTMM: teacher.{option}={value!r} leaves out frames that the temporal module is to '
                             'see: remove it')
    return teacher


def token_grid(tokens: Tensor, name: str) -> Tensor:
    """Patch tokens ``(N, T, L, D)`` as maps ``(N, D, T, h, w)`` with h = w.

    Raises:
        ValueError: there is no axis of tokens, or L is no square.
    """
    if tokens.ndim != 4:
        raise ValueError(f'ImageTMM: {name} gives one feature a frame and no patch tokens, whatever its output is set '
                         'to: set teacher to another image model')
    side = round(tokens.shape[2]**.5)
    if side**2 != tokens.shape[2]:
        raise ValueError(f'ImageTMM: {name} gives {tokens.shape[2]} tokens a frame, which are no square grid; choose '
                         'a square input_size of the teacher')
    return tokens.permute(0, 3, 1, 2).unflatten(3, (side, side))


def build_temporal(in_channels: int, out_channels: int, temporal: dict) -> nn.Module:
    """A temporal module from its word and options.

    Raises:
        ValueError: an unknown word or option, an impossible value, or none but options that two modules share.
    """
    if 'type' not in temporal and temporal.get('kernel') != 1:
        # Configs without a word were written for the 3x3x3 block; with kernel 1 both are one network.
        raise ValueError(f"ImageTMM: temporal={temporal} does not say which module: add type='r3d', the paper's block "
                         "(kernel x1x1, 1x3x3, 1x1x1; kernel=1 as published), or type='bottleneck' (1x1x1, kernel "
                         'x3x3, 1x1x1), which was meant where no type stood')
    options = dict(temporal)
    name = options.pop('type', TEMPORAL['type'])
    if name not in TEMPORAL_MODULES:
        raise ValueError(f'ImageTMM: there is no temporal module {name!r}; choose one of '
                         f'{", ".join(TEMPORAL_MODULES)}, or temporal=None for none')
    build = TEMPORAL_MODULES[name]
    known = set(inspect.signature(build).parameters) - {'in_channels', 'out_channels'}
    options = {key: TEMPORAL[key] for key in ('hidden', 'blocks')} | options
    if 'kernel' in known:
        options.setdefault('kernel', TEMPORAL['kernel'] if name == TEMPORAL['type'] else 3)
    if unknown := sorted(set(options) - known):
        raise ValueError(f'ImageTMM: the temporal module {name!r} has no option {unknown[0]!r}; it takes '
                         f'{", ".join(sorted(known))}')
    if options['hidden'] < 1 or options['blocks'] < 1 or options.get('kernel', 1) not in (1, 3):
        raise ValueError('ImageTMM: hidden and blocks must be at least 1 and kernel 1 or 3, got '
                         f'{options["hidden"]}, {options["blocks"]} and {options.get("kernel")}')
    if 'kernel' not in known and options['hidden'] % HEAD_WIDTH:
        raise ValueError(f'ImageTMM: {name!r} has heads of {HEAD_WIDTH} channels: hidden must be a multiple of it, '
                         f'got {options["hidden"]}')
    return build(in_channels, out_channels, **options)


def _names(teachers: list) -> str:
    return ' and '.join(teacher.name for teacher in teachers)
