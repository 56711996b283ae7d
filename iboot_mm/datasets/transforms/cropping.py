"""One crop and flip per view."""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from torch.nn import functional as F

from ...ranges import at_least
from .randomness import CROP_TAG, view_rng

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels of the decoded frame


class Crop(NamedTuple):
    """The `box` of a frame, which is scaled to `scaled` (width, height) before a square is cut out at `corner`."""

    box: Box
    scaled: tuple[int, int]
    corner: tuple[int, int] = (0, 0)  # left, top


@TRANSFORMS.register_module()
class CropViews(BaseTransform):
    """Crop every view to a square, all its frames alike.

    Three ways to draw the crop: the short side is scaled to a length from `short_side` and a square of `size` is cut
    out at random (iBoot, section 4.1); with `resize` the frame is scaled to that, whatever its shape, before the square
    is cut out (AdViSe's public code); or, with `area`, a box of random area and aspect is cut out and scaled to the
    square. Resizing is bilinear, with antialiasing where it shrinks, see `rescale`. MMAction2's `Resize` never
    antialiases; where nothing shrinks, its pixels are the same.

    Required keys: `frames` (U, H, W, 3), `frame_positions` (V, T), `view_seeds`.
    Removed keys: `frames`, `frame_positions`. Added keys: `imgs` uint8 (V, T, size, size, 3), `img_shape` (size, size),
    `crops` list of V (`Crop`, whether flipped).
    With 3 crops V becomes 3V, in the order of MMAction2's `ThreeCrop`: all clips' first corner (left or top), all
    clips' last corner, all clips' middle; `view_seeds` become 3V, too.

    Args:
        size (int): Side of the crop in pixels.
        short_side (int | tuple[int, int]): Length of the scaled short side in pixels, or bounds of a uniform draw.
        area (tuple[float, float], optional): Bounds of a uniform draw of the crop's share of the frame; replaces
            `short_side`. Peer's recipe: (.2, .766).
        resize (tuple[int, int], optional): Width and height in pixels of the scaled frame; replaces `short_side` in
            training.
        aspect (tuple[float, float]): Bounds of width / height for `area`, drawn uniformly in the logarithm.
        flip_prob (float): Probability of a horizontal flip.
        test_mode (bool): Centre crop without flip after scaling the short side to `short_side`, or to `size` if
            `short_side` is a range.
        crops (int): 1 or, with `test_mode`, 3: squares at both ends and in the middle of the long side, as
            MMAction2's `ThreeCrop` (which wants `short_side` to be `size`).

    Raises:
        ValueError: For an argument out of range.
    """

    def __init__(self, size: int = 224, short_side: int | tuple[int, int] = (256, 320),
                 area: tuple[float, float] | None = None, aspect: tuple[float, float] = (.75, 4 / 3),
                 flip_prob: float = .5, test_mode: bool = False, crops: int = 1,
                 resize: tuple[int, int] | None = None) -> None:
        self.size = size
        bounds = (short_side, short_side) if isinstance(short_side, int) else tuple(short_side)
        self.short_side = bounds
        if test_mode and bounds[0] != bounds[1]:
            self.short_side = (size, size)
        self.area = None if area is None or test_mode else tuple(area)
        self.resize = None if resize is None or test_mode else tuple(resize)
        self.aspect = tuple(aspect)
        self.flip_prob = 0. if test_mode else flip_prob
        self.test_mode = test_mode
        self.crops = crops
        self._check()

    def transform(self, results: dict) -> dict:
        """See the class."""
        frames, positions = results.pop('frames'), results.pop('frame_positions')
        seeds = list(results['view_seeds'])
        height, width = frames.shape[1:3]
        if self.test_mode:
            even = even_crops(height, width, self.short_side[0], self.size, self.crops)
            drawn = [(crop, False) for crop in even for _ in seeds]
        else:
            drawn = [self._draw(height, width, view_rng(seed, CROP_TAG)) for seed in seeds]
        imgs = np.empty((len(drawn), positions.shape[1], self.size, self.size, 3), dtype=np.uint8)
        if torch.utils.data.get_worker_info() is not None:
            cv2.setNumThreads(0)  # the workers fill the cores; mmengine says so to those that are forked only
        for view, (crop, flip) in enumerate(drawn):
            for t, position in enumerate(positions[view % len(seeds)]):
                image = cut_out(frames[position], crop, self.size)
                if flip:
                    cv2.flip(image, 1, dst=imgs[view, t])
                else:
                    imgs[view, t] = image
        results['imgs'], results['crops'] = imgs, drawn
        results['img_shape'] = (self.size, self.size)
        results['view_seeds'] = seeds * self.crops
        return results

    def _draw(self, height: int, width: int, rng: np.random.Generator) -> tuple[Crop, bool]:
        if self.area is not None:
            crop = Crop(area_box(height, width, self.area, self.aspect, rng), (self.size, self.size))
        else:
            low, high = self.short_side
            scaled = self.resize or scaled_size(height, width, int(rng.integers(low, high + 1)))
            crop = Crop((0, 0, width, height), scaled, random_corner(scaled, self.size, tuple(rng.random(2))))
        return crop, bool(rng.random() < self.flip_prob)

    def _check(self) -> None:
        at_least(1, 'CropViews', size=self.size)
        low, high = self.short_side
        if self.area is None and not self.size <= low <= high:
            raise ValueError(f'CropViews: short_side must not be below size={self.size} nor fall, got '
                             f'{self.short_side}.')
        if self.area is not None and not 0 < self.area[0] <= self.area[1] <= 1:
            raise ValueError(f'CropViews: area must be two rising shares in (0, 1], got {self.area}.')
        if self.resize is not None and (len(self.resize) != 2 or min(self.resize) < self.size or self.area):
            raise ValueError(f'CropViews: resize is a width and a height of at least size={self.size} and goes without '
                             f'area, got {self.resize}.')
        if not 0 < self.aspect[0] <= self.aspect[1] or not 0 <= self.flip_prob <= 1:
            raise ValueError(f'CropViews: aspect must rise and flip_prob lie in [0, 1], got {self.aspect} and '
                             f'{self.flip_prob}.')
        if self.crops not in ((1, 3) if self.test_mode else (1,)):
            raise ValueError(f'CropViews: crops must be 1, or 3 with test_mode=True, got {self.crops}.')

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(size={self.size}, short_side={self.short_side}, area={self.area}, '
                f'aspect={self.aspect}, flip_prob={self.flip_prob}, test_mode={self.test_mode}, crops={self.crops}, '
                f'resize={self.resize})')


def random_corner(scaled: tuple[int, int], size: int, place: tuple[float, float]) -> tuple[int, int]:
    """Left and top of a square of `size` in a frame of `scaled` (width, height).

    Args:
        place (tuple[float, float]): Where the square lies along width and height, each in [0, 1): equal shares for all
            whole-pixel places.
    """
    left, top = (int(share * (length - size + 1)) for share, length in zip(place, scaled, strict=True))
    return left, top


def even_crops(height: int, width: int, side: int, size: int, crops: int) -> list[Crop]:
    """The squares of `size` of MMAction2's `CenterCrop` (1 crop) or `ThreeCrop` (3).

    The frame's short side is scaled to `side` before. Three squares lie at 0, 2m and m along the long side, where m is
    half of what the square leaves free, in whole pixels.
    """
    scaled = scaled_size(height, width, side)
    across, down = ((length - size) // 2 for length in scaled)
    corners = [(across, down)]
    if crops == 3:
        wide = scaled[0] >= scaled[1]
        corners = [(shift * across, down) if wide else (across, shift * down) for shift in (0, 2, 1)]
    return [Crop((0, 0, width, height), scaled, corner) for corner in corners]


def scaled_size(height: int, width: int, side: int) -> tuple[int, int]:
    """(width, height) after the short side was scaled to `side`, rounded as MMAction2's `Resize` does."""
    scale = side / min(height, width)
    return int(width * scale + .5), int(height * scale + .5)


def area_box(height: int, width: int, area: tuple[float, float], aspect: tuple[float, float],
             rng: np.random.Generator) -> Box:
    """A box of random area and aspect inside the frame; after ten misses the largest central one of allowed aspect."""
    for _ in range(10):
        pixels = rng.uniform(*area) * height * width
        ratio = np.exp(rng.uniform(*np.log(aspect)))
        w, h = round((pixels * ratio)**.5), round((pixels / ratio)**.5)
        if 0 < w <= width and 0 < h <= height:
            left, top = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
            return (left, top, left + w, top + h)
    w = min(width, round(height * aspect[1]))
    h = min(height, round(width / aspect[0]))
    left, top = (width - w) // 2, (height - h) // 2
    return (left, top, left + w, top + h)


def cut_out(frame: np.ndarray, crop: Crop, size: int) -> np.ndarray:
    """A crop uint8 (size, size, 3) of a frame uint8 (H, W, 3)."""
    (x0, y0, x1, y1), (left, top) = crop.box, crop.corner
    return rescale(frame[y0:y1, x0:x1], *crop.scaled)[top:top + size, left:left + size]


def rescale(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """Scale uint8 (H, W, 3) to uint8 (height, width, 3), bilinear with antialiasing.

    What does not shrink needs no antialiasing and is left to OpenCV, as in MMAction2's `Resize`; what shrinks is left
    to PyTorch. They take a seventh and a third of Pillow's time, and are at most 2 of 255 from its `BILINEAR`: each
    rounds its weights in its own way.
    """
    if height >= picture.shape[0] and width >= picture.shape[1]:
        return cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None]  # (1, 3, H, W)
    scaled = F.interpolate(pixels, (height, width), mode='bilinear', antialias=True)
    return scaled[0].permute(1, 2, 0).numpy()
