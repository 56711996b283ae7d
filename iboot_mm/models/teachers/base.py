"""What all teachers share: clips in, frozen features of what they are shown of them out."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from torch import Tensor, nn

from .precision import CastWeights
from .shown import build_shown

OUTPUTS = ('embedding', 'cls', 'mean', 'tokens')
PRECISIONS = dict(fp32=None, bf16=torch.bfloat16, fp16=torch.float16)


class FrozenTeacher:
    """A frozen image encoder f_phi, applied to each of the T frames of a clip (section 3 of the iBoot paper).

    A plain object, not an ``nn.Module``: it can never reach a state dict, an optimizer, DDP, a weight-decay group or a
    SyncBN conversion, and no ``train()`` reaches its network. Frames are scaled to the teacher's own input size (no
    crop: clips are crops already), normalised with its own mean and std, and encoded in chunks, so memory is bounded.

    A subclass builds the network and implements :meth:`encode`.

    Args:
        network: The encoder; it is set to eval mode and frozen for good.
        model: Its name.
        output: ``embedding`` (the feature that the model is meant to give: CLIP's joint image-text space, else the
            pooled features before the classifier), ``cls`` (class token), ``mean`` (mean of the patch tokens or of the
            map) or ``tokens`` (all of them).
        mean: Per channel, for frames in [0, 1].
        std: Per channel.
        input_size: Height and width in pixels, or one number for both.
        licence: Of the weights; ``unknown`` where nobody says.
        pretrained: Tag of the weights.
        checkpoint: File of the weights.
        precision: ``auto`` (bf16 on CUDA devices that have it, else fp32), ``fp32``, ``bf16`` or ``fp16``; of what
            autocast casts. Weights are cast once, see :class:`~iboot_mm.models.teachers.precision.CastWeights`.
        chunk_size: Frames per forward pass.
        frames: Encode only so many frames of each clip, the middle ones of as many equal parts; None for all.
        shown: What it is shown of a clip (beyond the paper; docs/motion_target.md): ``'frames'``, ``'dynamic_image'``,
            one picture of how the clip changes, or ``'correspondences'``, which takes its maps instead of ``output``
            and asks where each place goes; or ``dict(type=one of them, ...)``, see
            :mod:`~iboot_mm.models.teachers.shown`.
        name: What to call it in logs and loss names; the model's name by default.

    Attributes:
        width: Channels of the feature, found by encoding one empty frame.

    Raises:
        ValueError: for an output that the model does not have and for impossible options.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        model: str,
        output: str,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        input_size: int | tuple[int, int],
        licence: str,
        pretrained: str | bool | None,
        checkpoint: str | None,
        precision: str,
        chunk_size: int,
        name: str | None,
        frames: int | None = None,
        shown: str | dict = 'frames',
    ) -> None:
        if output not in OUTPUTS:
            raise ValueError(f'Teacher {model}: there is no output {output!r}; choose one of {", ".join(OUTPUTS)}.')
        if precision != 'auto' and precision not in PRECISIONS:
            raise ValueError(f'Teacher {model}: precision is auto, fp32, bf16 or fp16, got {precision!r}.')
        if chunk_size < 1:
            raise ValueError(f'Teacher {model}: chunk_size counts frames and must be at least 1, got {chunk_size}.')
        if frames is not None and frames < 1:
            raise ValueError(f'Teacher {model}: frames must be at least 1, or None for all of a clip, got {frames}.')
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ValueError(
                f'Teacher {model}: mean and std take three numbers each, std above 0; got {mean} and {std}.'
            )
        network.eval()  # not chained: mmpretrain's backbones return None here
        self.network = network.requires_grad_(False)
        self.model, self.output, self.licence = model, output, licence
        self.name = name or model
        self.pretrained, self.checkpoint = pretrained, checkpoint
        self.mean, self.std = tuple(map(float, mean)), tuple(map(float, std))
        size = (input_size, input_size) if isinstance(input_size, int) else input_size
        self.input_size = tuple(map(int, size))  # (H, W)
        self.precision, self.chunk_size, self.frames = precision, chunk_size, frames
        self.shown, self._shown = shown, build_shown(shown, model)
        self._device = next(network.parameters()).device
        self._weights = CastWeights(self.network)
        self._scale: tuple[Tensor, Tensor] | None = None  # mean and std on the device
        self._scaled_from: tuple[int, ...] | None = None  # the last size of frames that was not its own
        with torch.no_grad():
            self.width = self._shown.width(self)
        what = f'output {output!r}' if shown == 'frames' else f'{self._shown.name}'
        print_log(
            f'Teacher {self.name}: {type(self).__name__} {model}, {what} of width {self.width}, '
            f'input {self.input_size[0]} x {self.input_size[1]}, licence of its weights: {licence}.',
            logger='current',
        )

    def __call__(self, clips: Tensor) -> Tensor:
        """Features of clips ``(N, C, T, H, W)`` in [0, 1].

        Returns:
            float32 ``(N, T, D)``, or ``(N, T, L, D)`` for ``tokens``; never part of a graph. T is ``frames``, if given,
            and 1 where a clip is shown as a whole.

        Raises:
            ValueError: clips of fewer than ``frames`` frames.
        """
        self._move_to(clips.device)
        clips = clips if self.frames is None else middle_frames(clips, self.frames)
        with torch.no_grad(), self._autocast(clips.device):
            return self._shown(self, clips.detach())

    def encode_frames(self, clips: Tensor) -> Tensor:
        """Features of each frame of clips ``(N, C, T, H, W)``: float32 ``(N, T, D)`` or ``(N, T, L, D)``."""
        frames = clips.transpose(1, 2).flatten(0, 1)  # (N T, C, H, W)
        features = [self.encode(self.prepare(chunk)).float() for chunk in frames.split(self.chunk_size)]
        return torch.cat(features).unflatten(0, (clips.shape[0], clips.shape[2]))

    def encode(self, images: Tensor) -> Tensor:
        """Features ``(B, D)``, or ``(B, L, D)`` for ``tokens``, of normalised images ``(B, 3, H, W)``."""
        raise NotImplementedError

    def compile(self, **options: Any) -> None:
        """Runs :meth:`encode` through ``torch.compile``; chunks of one size are traced once."""
        self.encode = torch.compile(self.encode, **options)

    def encode_maps(self, images: Tensor, level: int | None) -> list[Tensor]:
        """Maps ``(B, D, h, w)`` of normalised images ``(B, 3, H, W)``, the first stage's first.

        Args:
            images: The images.
            level: The only one that is wanted; None for all.

        Raises:
            ValueError: the model has none.
        """
        raise ValueError(f"Teacher {self.model} gives no maps: set shown to 'frames' or 'dynamic_image', or take "
                         'another teacher')

    def empty_frame(self) -> Tensor:
        """An image ``(1, 3, H, W)`` to find out shapes with."""
        return torch.zeros(1, 3, *self.input_size, device=self._device)

    def identity(self) -> dict:
        """What a reader of published weights needs to build the same teacher."""
        return dict(
            type=type(self).__name__,
            model=self.model,
            pretrained=self.pretrained,
            checkpoint=Path(self.checkpoint).name if self.checkpoint else None,
            output=self.output,
            width=self.width,
            licence=self.licence,
            mean=self.mean,
            std=self.std,
            input_size=self.input_size,
            **({} if self.frames is None else dict(frames=self.frames)),
            **({} if self.shown == 'frames' else dict(shown=self.shown)),
        )

    def __deepcopy__(self, memo: dict) -> 'FrozenTeacher':
        return self  # nothing in it ever changes: a copied model (an EMA, say) shares its teacher

    def __repr__(self) -> str:
        return f'{type(self).__name__}(name={self.name!r}, output={self.output!r}, width={self.width})'

    def no_output(self, reason: str) -> ValueError:
        """The error for an output that this model lacks."""
        return ValueError(f'Teacher {self.name} has no output {self.output!r}: {reason}.')

    def _move_to(self, device: torch.device) -> None:
        if self._device != device or self._scale is None:
            self._weights.to(None)  # the next device may want another precision
            self.network.to(device)
            self._weights.to(self._dtype(device))
            self._device = device
            self._scale = tuple(torch.tensor(v, device=device).view(3, 1, 1) for v in (self.mean, self.std))

    def prepare(self, frames: Tensor) -> Tensor:
        """Frames ``(B, 3, H, W)`` in [0, 1] at the teacher's input size, normalised as it wants them."""
        frames = frames.float()
        if (size := tuple(frames.shape[-2:])) != self.input_size:
            if size != self._scaled_from:  # training and test may differ, and would then show things at two scales
                self._scaled_from = size
                print_log(f'Teacher {self.name}: frames of {size[0]} x {size[1]} pixels are scaled to its input of '
                          f'{self.input_size[0]} x {self.input_size[1]}.', logger='current')
            frames = F.interpolate(frames, self.input_size, mode='bilinear', antialias=True)
        mean, std = self._scale
        return (frames - mean) / std

    def _autocast(self, device: torch.device) -> AbstractContextManager:
        """The teacher's own precision, whatever the student's autocast is."""
        dtype = self._dtype(device)
        return torch.autocast(device.type, dtype=dtype, enabled=dtype is not None)

    def _dtype(self, device: torch.device) -> torch.dtype | None:
        precision = self.precision
        if precision == 'auto':
            has_bf16 = device.type == 'cuda' and torch.cuda.is_bf16_supported(including_emulation=False)
            precision = 'bf16' if has_bf16 else 'fp32'
        return PRECISIONS[precision]


def middle_frames(clips: Tensor, count: int) -> Tensor:
    """The middle frames of ``count`` equal parts of clips ``(N, C, T, H, W)``: ``(N, C, count, H, W)``.

    Raises:
        ValueError: clips of fewer frames.
    """
    length = clips.shape[2]
    if count > length:
        raise ValueError(f'frames={count} of a teacher are more than the {length} of a clip: set frames to {length} or '
                         'less, or to None for all')
    places = [(2 * i + 1) * length // (2 * count) for i in range(count)]
    return torch.stack([clips[:, :, place] for place in places], dim=2)  # a list as index would stall a GPU


def tokens_to_output(teacher: FrozenTeacher, patches: Tensor, cls: Tensor | None) -> Tensor:
    """``mean``, ``tokens`` or ``cls`` from patch tokens ``(B, L, D)`` and a class token ``(B, D)``, if there is one."""
    if teacher.output == 'cls':
        if cls is None:
            raise teacher.no_output('it has no class token; take embedding, mean or tokens')
        return cls
    return patches if teacher.output == 'tokens' else patches.mean(1)
