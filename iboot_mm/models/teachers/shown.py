"""What a frozen image model is shown of a clip: its frames, a picture of how they change, or their correspondences."""

from typing import Protocol

import torch
from torch import Tensor

from ..modules.motion import correspondences, dynamic_image

FINEST = 8  # pixels, the stride of maps that correspondences are taken from where there are several


class ImageModel(Protocol):
    """What of a :class:`~iboot_mm.models.teachers.FrozenTeacher` is used here; see there."""

    model: str
    input_size: tuple[int, int]
    chunk_size: int

    def empty_frame(self) -> Tensor: ...
    def prepare(self, frames: Tensor) -> Tensor: ...
    def encode(self, images: Tensor) -> Tensor: ...
    def encode_frames(self, clips: Tensor) -> Tensor: ...
    def encode_maps(self, images: Tensor, level: int | None) -> list[Tensor]: ...


class Frames:
    """Each frame, as in the paper."""

    name = 'frames'

    def width(self, teacher: ImageModel) -> int:
        """Channels of the feature, found by encoding one empty frame."""
        return teacher.encode(teacher.empty_frame()).shape[-1]

    def __call__(self, teacher: ImageModel, clips: Tensor) -> Tensor:
        """Features of the frames ``(N, T, D)`` or ``(N, T, L, D)`` of clips ``(N, C, T, H, W)``."""
        return teacher.encode_frames(clips)


class DynamicImage(Frames):
    """One picture of how the clip changes, :func:`~iboot_mm.models.modules.motion.dynamic_image`: one pass a clip."""

    name = 'dynamic_image'

    def __call__(self, teacher: ImageModel, clips: Tensor) -> Tensor:
        """Features of the picture ``(N, 1, D)`` or ``(N, 1, L, D)``."""
        return teacher.encode_frames(dynamic_image(clips).unsqueeze(2))


class Correspondences:
    """Where the places of the teacher's own maps go, :func:`~iboot_mm.models.modules.motion.correspondences`.

    Args:
        stride: Pixels of the teacher's input from place to place of a map. None: 8, or the finest that is coarser. A
            ViT has one stride, the side of its patches; of several maps of a stride the last one counts.
        reach: How many places the ``(2 r + 1)^2`` displacements reach.
        gap: Frames of the clip from one to the other.
        temperature: Of the softmax over displacements.
    """

    name = 'correspondences'

    def __init__(self, stride: int | None = None, reach: int = 2, gap: int = 2, temperature: float = .1) -> None:
        self.stride, self.options = stride, dict(reach=reach, gap=gap, temperature=temperature)
        self.level = 0

    def width(self, teacher: ImageModel) -> int:
        """How many displacements there are; chooses the map."""
        height = teacher.input_size[0]
        strides = [round(height / grid.shape[2]) for grid in teacher.encode_maps(teacher.empty_frame(), None)]
        stride = self.stride or min((s for s in strides if s >= FINEST), default=max(strides))
        if stride not in strides:
            known = ', '.join(map(str, sorted(set(strides))))
            raise ValueError(f'Teacher {teacher.model}: it has no maps of stride {stride}; set stride of '
                             f"shown=dict(type='correspondences') to one of {known}")
        self.level = len(strides) - 1 - strides[::-1].index(stride)
        still = torch.zeros(1, 1 + self.options['gap'], 1, 2, 2)
        return correspondences(still, **self.options).shape[1]  # which also checks the options

    def __call__(self, teacher: ImageModel, clips: Tensor) -> Tensor:
        """Distributions over displacements ``(N, 1, (2 r + 1)^2)``."""
        together = max(1, teacher.chunk_size // clips.shape[2])  # clips; their maps take far more than their features
        return torch.cat([correspondences(self.maps(teacher, part), **self.options)
                          for part in clips.split(together)]).unsqueeze(1)

    def maps(self, teacher: ImageModel, clips: Tensor) -> Tensor:
        """The chosen maps of the frames, ``(N, T, D, h, w)``."""
        frames = clips.transpose(1, 2).flatten(0, 1)
        maps = [teacher.encode_maps(teacher.prepare(chunk), self.level)[0]
                for chunk in frames.split(teacher.chunk_size)]
        return torch.cat(maps).unflatten(0, (clips.shape[0], clips.shape[2]))


SHOWN = {kind.name: kind for kind in (Frames, DynamicImage, Correspondences)}


def build_shown(shown: str | dict, model: str) -> Frames | Correspondences:
    """What a teacher is shown, from its name or ``dict(type=NAME, ...)``.

    Raises:
        ValueError: an unknown name or option; names the teacher.
    """
    options = dict(type=shown) if isinstance(shown, str) else dict(shown)
    name = options.pop('type', None)
    if name not in SHOWN:
        raise ValueError(f'Teacher {model}: there is nothing to show called {name!r}; set shown to one of '
                         f'{", ".join(SHOWN)}, or to dict(type=one of them, ...)')
    try:
        return SHOWN[name](**options)
    except TypeError:
        known = 'stride, reach, gap and temperature' if name == Correspondences.name else 'no options'
        raise ValueError(f'Teacher {model}: shown={name!r} takes {known}, got {", ".join(options)}') from None
