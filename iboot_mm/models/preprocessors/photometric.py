"""Colour, gray, temporal difference and blur for batches of clips: pure functions, one parameter per clip.

A batch of clips is float ``(B, 3, T, H, W)`` with values in [0, 1]; every parameter is a tensor ``(B,)``, the same for
all frames of a clip. The formulas are those of ``torchvision.transforms.functional`` on float images (whose functions
take one scalar per call, so a batch of clips with a parameter each would need a Python loop). Two places say what "an
image" is for a clip:

- contrast uses the mean gray of the WHOLE CLIP, as if its frames were stacked into one tall image (as PySlowFast does),
  so a clip keeps its relative brightness over time;
- blur is PER FRAME, so no frame bleeds into the next one (PySlowFast blurs the tall image, and it does bleed there).
"""

from collections.abc import Callable

import torch
from torch import Tensor

GRAY_WEIGHTS = (0.2989, 0.587, 0.114)  # ITU-R 601-2, the digits that torchvision uses
# 4 standard deviations at the paper's largest sigma of 2 pixels: what is cut off weighs less than 1e-4.
BLUR_KERNEL_SIZE = 17
BLUR_BAND = 32  # pixels that one matrix product makes; fewer meet fewer zeros, more suit the product


def _per_clip(value: Tensor, clips: Tensor) -> Tensor:
    return value.to(clips).view(-1, 1, 1, 1, 1)


def rgb_to_gray(clips: Tensor) -> Tensor:
    """Luma of ``(B, 3, T, H, W)`` as ``(B, 1, T, H, W)``."""
    red, green, blue = clips.split(1, dim=1)
    return (red * GRAY_WEIGHTS[0]).add_(green, alpha=GRAY_WEIGHTS[1]).add_(blue, alpha=GRAY_WEIGHTS[2])


def adjust_brightness(clips: Tensor, factor: Tensor) -> Tensor:
    """Multiply by ``factor`` ``(B,)``, at least 0; 1 changes nothing."""
    return (clips * _per_clip(factor, clips)).clamp_(0, 1)


def adjust_contrast(clips: Tensor, factor: Tensor) -> Tensor:
    """Blend with the mean gray of the whole clip; ``factor`` ``(B,)``, at least 0, 1 changes nothing."""
    # The mean of the gray is the gray of the mean colour, which needs no gray clip.
    mean = rgb_to_gray(clips.mean(dim=(2, 3, 4), keepdim=True))  # (B, 1, 1, 1, 1)
    factor = _per_clip(factor, clips)
    return (clips * factor).add_(mean * (1 - factor)).clamp_(0, 1)


def adjust_saturation(clips: Tensor, factor: Tensor) -> Tensor:
    """Blend with the clip's own gray version; ``factor`` ``(B,)``, at least 0, 1 changes nothing."""
    return torch.lerp(rgb_to_gray(clips).expand_as(clips), clips, _per_clip(factor, clips)).clamp_(0, 1)


def rgb_to_hue(clips: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue (in sixths of a turn, [0, 6]; 0 for gray), chroma and value of ``(B, 3, T, H, W)``, each ``(B, T, H, W)``.

    Without a choice per pixel, which is slow on a CPU: by maxima, minima and factors of 0 or 1.
    """
    red, green, blue = clips.unbind(1)
    high, low = torch.maximum(green, blue), torch.minimum(green, blue)
    value, middle = torch.maximum(red, high), torch.minimum(red, high)
    chroma = value - torch.minimum(middle, low)
    towards_blue = torch.lt(green, blue, out=torch.empty_like(chroma))  # 1 or 0
    not_red = torch.lt(red, high, out=torch.empty_like(chroma))
    # From where the hue is counted, forwards or, where negative, backwards: red 0 or -6, green -2, blue 4.
    start = torch.lerp(-6 * towards_blue, 6 * towards_blue - 2, not_red)
    hue = middle.sub_(low).div_(chroma.clamp_min(torch.finfo(chroma.dtype).tiny)).add_(start).abs_()
    return hue, chroma, value


def hue_to_rgb(hue: Tensor, chroma: Tensor, value: Tensor) -> Tensor:
    """Inverse of :func:`rgb_to_hue`; hue in sixths of a turn, any real number."""
    hue = hue - 3  # from cyan
    hue.sub_((hue / 6).round_(), alpha=6)  # in [-3, 3]
    clips = chroma.new_empty(len(chroma), 3, *chroma.shape[1:])
    # How far a channel is below the value, in chromas: 0 near its own colour, 1 near the opposite one.
    depths = (2 - hue.abs(), (hue + 1).abs_().sub_(1), (hue - 1).abs_().sub_(1))
    for channel, depth in zip(clips.unbind(1), depths, strict=True):
        torch.addcmul(value, depth.clamp_(0, 1), chroma, value=-1, out=channel)
    return clips


def adjust_hue(clips: Tensor, factor: Tensor) -> Tensor:
    """Turn the hue by ``factor`` ``(B,)`` in turns, in [-0.5, 0.5]; 0 changes nothing."""
    hue, chroma, value = rgb_to_hue(clips)
    return hue_to_rgb(hue.add_(6 * factor.to(clips).view(-1, 1, 1, 1)), chroma, value)


def to_gray(clips: Tensor) -> Tensor:
    """Replace the colours of ``(B, 3, T, H, W)`` by three equal channels."""
    return rgb_to_gray(clips).expand_as(clips)


def temporal_difference(clips: Tensor) -> Tensor:
    """Replace the frames of ``(B, 3, T, H, W)`` by how their gray changes (large-scale study, section 4.5).

    Frame t becomes (1 + gray of frame t + 1 - gray of frame t) / 2, in [0, 1] as all clips here, so .5 is "no change"
    and the sign of a change stays; the last frame has no successor and repeats the change before it. The study names
    the operation only: all of this is our choice.

    Raises:
        ValueError: T is 1.
    """
    if clips.shape[2] < 2:
        raise ValueError('The temporal difference needs clips of at least 2 frames, got 1; set '
                         'temporal_difference_prob=0 for clips of single frames.')
    gray = rgb_to_gray(clips)
    change = (1 + gray.diff(dim=2)) / 2  # (B, 1, T - 1, H, W)
    return torch.cat([change, change[:, :, -1:]], dim=2).expand_as(clips)


def _blur_matrices(sigma: Tensor, length: int, kernel_size: int) -> Tensor:
    """The blur of a line of ``length`` pixels as matrices ``(B, length, length)``, reflect padding folded in."""
    radius = min(kernel_size // 2, length - 1)  # a reflection can't reach further than the line
    offsets = torch.arange(-radius, radius + 1, device=sigma.device)
    kernel = torch.exp(-0.5 * (offsets / sigma[:, None]) ** 2)
    kernel = kernel / kernel.sum(1, keepdim=True)  # (B, K)
    source = torch.arange(length, device=sigma.device)[:, None] + offsets  # (length, K), pixels that are read
    source = source.abs()
    source = torch.where(source >= length, 2 * (length - 1) - source, source)
    matrices = kernel.new_zeros(len(sigma), length, length)
    index = source.expand(len(sigma), -1, -1)
    return matrices.scatter_add_(2, index, kernel[:, None].expand_as(index))


def _bands(length: int, kernel_size: int) -> list[tuple[slice, slice]]:
    """Rows of a blur's matrix, ``BLUR_BAND`` at a time, and the columns that are not zero in them."""
    radius = kernel_size // 2
    return [(slice(start, start + BLUR_BAND), slice(max(0, start - radius), start + BLUR_BAND + radius))
            for start in range(0, length, BLUR_BAND)]


def gaussian_blur(clips: Tensor, sigma: Tensor, kernel_size: int = BLUR_KERNEL_SIZE) -> Tensor:
    """Blur every frame of ``(B, 3, T, H, W)`` by ``sigma`` ``(B,)`` pixels, as torchvision's ``gaussian_blur``.

    Separable, as batched matrix products over the bands of the matrices that are not zero: one sigma per clip needs no
    grouped convolution, and a product keeps float32 where cuDNN's convolutions default to TF32.
    """
    batch, _, _, height, width = clips.shape
    sigma = sigma.to(clips)
    rows = _blur_matrices(sigma, height, kernel_size)[:, None]  # (B, 1, H, H)
    columns = _blur_matrices(sigma, width, kernel_size).transpose(1, 2)  # (B, W, W)
    lines = clips.reshape(batch, -1, width)  # (B, 3 T H, W)
    across = torch.empty_like(lines)
    for target, source in _bands(width, kernel_size):
        across[..., target] = lines[..., source] @ columns[:, source, target]
    frames = across.view(batch, -1, height, width)
    blurred = torch.empty_like(frames)
    for target, source in _bands(height, kernel_size):
        blurred[:, :, target] = rows[:, :, target, source] @ frames[:, :, source]
    return blurred.view_as(clips)


# In the order in which torchvision numbers the four operations of its ColorJitter.
JITTER_OPS: tuple[tuple[str, Callable[[Tensor, Tensor], Tensor]], ...] = (
    ('brightness', adjust_brightness),
    ('contrast', adjust_contrast),
    ('saturation', adjust_saturation),
    ('hue', adjust_hue),
)
