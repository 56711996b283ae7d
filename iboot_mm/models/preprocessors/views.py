"""From uint8 views to augmented float views on the training device."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from mmaction.registry import MODELS
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from . import photometric

# Second word of the seed of a view's photometric stream: keeps it apart from the streams of crop and flip.
PHOTOMETRIC_TAG = 0xC0102
# How many clips go through the operations together. On a CPU what one operation hands to the next stays in the cache;
# on a GPU this bounds the temporaries, some 4 for each clip: 1.2 GB at 8 x 224 x 224.
CLIPS_TOGETHER = dict(cpu=1, cuda=64)
COLOR_JITTER = dict(brightness=0.2, contrast=0.2, saturation=0.2, hue=0.05)  # the paper's


@dataclass
class PhotometricDraws:
    """What was drawn for B clips; NumPy arrays, one row per clip."""

    jitter: np.ndarray  # (B,) bool, whether colour jitter applies
    order: np.ndarray  # (B, 4) int, the order of brightness (0), contrast (1), saturation (2), hue (3)
    factors: np.ndarray  # (B, 4) float, their factors (hue: turns)
    gray: np.ndarray  # (B,) bool
    blur: np.ndarray  # (B,) bool
    sigma: np.ndarray  # (B,) float, pixels
    difference: np.ndarray  # (B,) bool

    def __getitem__(self, part: slice) -> 'PhotometricDraws':
        return PhotometricDraws(*(getattr(self, field.name)[part] for field in fields(self)))


@MODELS.register_module()
class ViewPreprocessor(BaseDataPreprocessor):
    """Stacks views, moves them to the device as uint8, scales them to [0, 1] and, in training, augments their colours.

    Each clip (one view of one video) gets one draw, all its frames alike, as in section 4.1 of the paper: colour jitter
    with a probability of .8 (its four operations in a random order), gray .2, blur .5 with sigma uniform in [.1, 2]
    pixels. The temporal difference of the large-scale study (section 4.5, there with .2) is off by default; it comes
    after gray and before blur, with which it commutes. Draws come from
    ``np.random.default_rng([view_seed, PHOTOMETRIC_TAG])`` with the sample's own ``view_seeds``, so they depend neither
    on the batch that the sample is in nor on worker or rank; switching one operation on or off leaves the draws of the
    others as they were. Each network normalises for itself, so nothing is normalised here.

    Deviation from PySlowFast: colours and blur come after the crop (there: before it, on the whole decoded frame).

    Args:
        color_jitter: Strengths of ``brightness``, ``contrast``, ``saturation`` (factor uniform in [1 - s, 1 + s], not
            below 0) and ``hue`` (in turns, uniform in [-s, s], at most .5); the paper's .2, .2, .2 and .05 by default,
            ``None`` switches it off.
        color_prob: Probability of colour jitter for a clip.
        gray_prob: Probability of gray for a clip.
        blur_prob: Probability of blur for a clip.
        blur_sigma: Range of the blur's standard deviation, pixels of the crop.
        temporal_difference_prob: Probability that a clip shows the changes of its gray in place of its frames, see
            :func:`~iboot_mm.models.preprocessors.photometric.temporal_difference`.
        non_blocking: Whether copies to the device may overlap with work on the host.

    Raises:
        ValueError: for unknown or impossible options, and for batches that are not uint8 views of one shape.
    """

    def __init__(
        self,
        color_jitter: dict | None = COLOR_JITTER,
        color_prob: float = 0.8,
        gray_prob: float = 0.2,
        blur_prob: float = 0.5,
        blur_sigma: Sequence[float] = (0.1, 2.0),
        temporal_difference_prob: float = 0.0,
        non_blocking: bool = True,
    ) -> None:
        super().__init__(non_blocking=non_blocking)
        strengths = dict(color_jitter or {})
        names = [name for name, _ in photometric.JITTER_OPS]
        if unknown := sorted(set(strengths) - set(names)):
            raise ValueError(f'ViewPreprocessor: color_jitter has no {unknown[0]!r}; it takes {", ".join(names)}.')
        if min(strengths.values(), default=0) < 0 or strengths.get('hue', 0) > 0.5:
            raise ValueError(
                f'ViewPreprocessor: color_jitter strengths must be at least 0 and hue at most .5, got {strengths}.'
            )
        probabilities = dict(
            color_prob=color_prob,
            gray_prob=gray_prob,
            blur_prob=blur_prob,
            temporal_difference_prob=temporal_difference_prob,
        )
        for name, prob in probabilities.items():
            if not 0 <= prob <= 1:
                raise ValueError(f'ViewPreprocessor: {name} must be in [0, 1], got {prob}.')
        if not 0 < blur_sigma[0] <= blur_sigma[1]:
            raise ValueError(
                f'ViewPreprocessor: blur_sigma must be (low, high) with 0 < low <= high, got {blur_sigma}.'
            )
        self.strengths = [float(strengths.get(name, 0)) for name in names]
        self.color_prob = color_prob if any(self.strengths) else 0.0
        self.gray_prob = gray_prob
        self.blur_prob = blur_prob
        self.blur_sigma = tuple(blur_sigma)
        self.temporal_difference_prob = temporal_difference_prob

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepares one batch of the data loader.

        Args:
            data: ``inputs``, a list of uint8 tensors ``(V, C, T, H, W)`` or one ``(N, V, C, T, H, W)``, and
                ``data_samples``.
            training: Whether to augment.

        Returns:
            The same keys; ``inputs`` is float32 ``(N, V, C, T, H, W)`` in [0, 1] on the device.
        """
        views = self._to_device(data['inputs'])
        data_samples = data.get('data_samples')
        with torch.autocast(self.device.type, enabled=False):  # colours want float32 under --amp too
            if training and any((self.color_prob, self.gray_prob, self.blur_prob, self.temporal_difference_prob)):
                seeds = self._view_seeds(data_samples, *views.shape[:2])
                views = self.augment(views.flatten(0, 1), self.draw(seeds)).view_as(views)
            else:
                views = views / 255
        return {**data, 'inputs': views, 'data_samples': self.cast_data(data_samples)}

    def draw(self, view_seeds: Sequence[int]) -> PhotometricDraws:
        """Draws the parameters of B clips from their seeds."""
        rows = [self._draw_one(np.random.default_rng([int(seed), PHOTOMETRIC_TAG])) for seed in view_seeds]
        return PhotometricDraws(*(np.stack(column) for column in zip(*rows, strict=True)))

    def _draw_one(self, rng: np.random.Generator) -> tuple:
        # Everything is drawn, applied or not: an option that is switched off must not move the others.
        uniform = rng.random(8)
        order = rng.permutation(4)
        difference = rng.random()  # after the others, which it must not move either
        low = np.array([max(0.0, 1 - strength) for strength in self.strengths[:3]] + [-self.strengths[3]])
        high = np.array([1 + strength for strength in self.strengths[:3]] + [self.strengths[3]])
        sigma = self.blur_sigma[0] + uniform[7] * (self.blur_sigma[1] - self.blur_sigma[0])
        return (
            uniform[0] < self.color_prob,
            order,
            low + uniform[1:5] * (high - low),
            uniform[5] < self.gray_prob,
            uniform[6] < self.blur_prob,
            sigma,
            difference < self.temporal_difference_prob,
        )

    def augment(self, clips: Tensor, draws: PhotometricDraws) -> Tensor:
        """Clips ``(B, C, T, H, W)`` of uint8 as float32 in [0, 1] with ``draws``: jitter, gray, difference, blur."""
        augmented = torch.empty(clips.shape, device=clips.device)
        together = CLIPS_TOGETHER.get(clips.device.type, len(clips))
        for start in range(0, len(clips), together):
            part = slice(start, start + together)
            augmented[part] = self._augment_together(clips[part] / 255, draws[part])
        return augmented

    def _augment_together(self, clips: Tensor, draws: PhotometricDraws) -> Tensor:
        """``draws`` applied to clips in [0, 1], which may be overwritten.

        Clips that take the same operation at the same place in their order form one sub-batch, so the number of kernels
        doesn't grow with B.
        """
        steps = [
            (photometric.JITTER_OPS[op][1], draws.factors[:, op], draws.jitter & (draws.order[:, place] == op))
            for place in range(4)
            for op in range(4)
            if self.strengths[op]
        ]
        steps.append((lambda chosen, _: photometric.to_gray(chosen), draws.sigma, draws.gray))
        steps.append((lambda chosen, _: photometric.temporal_difference(chosen), draws.sigma, draws.difference))
        steps.append((photometric.gaussian_blur, draws.sigma, draws.blur))
        steps = [(function, values[mask], np.flatnonzero(mask)) for function, values, mask in steps if mask.any()]
        if not steps:
            return clips
        # One copy to the device for all steps: many small ones would stall the host.
        packed = torch.from_numpy(np.concatenate([np.stack([values, rows]) for _, values, rows in steps], axis=1))
        packed = packed.to(clips.device, non_blocking=self._non_blocking)
        for (function, _, rows), part in zip(steps, packed.split([len(step[2]) for step in steps], dim=1), strict=True):
            index = part[1].long()
            if len(rows) == len(clips):  # every clip: nothing to gather
                clips = function(clips, part[0].float()).contiguous()
            else:
                clips.index_copy_(0, index, function(clips.index_select(0, index), part[0].float()))
        return clips

    def _to_device(self, inputs: Sequence[Tensor] | Tensor) -> Tensor:
        """uint8 ``(N, V, C, T, H, W)`` on the device, a quarter of what floats would take on the way."""
        items = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        shapes = sorted({tuple(item.shape) for item in items})
        kinds = {item.dtype for item in items}
        dims = 6 if isinstance(inputs, Tensor) else 5
        if kinds != {torch.uint8} or len(shapes) != 1 or len(shapes[0]) != dims or shapes[0][dims - 4] != 3:
            raise ValueError(
                'ViewPreprocessor wants uint8 RGB views (V, 3, T, H, W) of one shape from each sample, got '
                f'{", ".join(map(str, shapes))} of {", ".join(sorted(map(str, kinds)))}; '
                'end the pipeline with CropViews and PackViews.'
            )
        # Stacked there: the loader pins each sample, a stack made here would not be pinned.
        items = [item.to(self.device, non_blocking=self._non_blocking) for item in items]
        return items[0] if isinstance(inputs, Tensor) else torch.stack(items)

    @staticmethod
    def _view_seeds(data_samples: Sequence | None, num_samples: int, num_views: int) -> list[int]:
        seeds = [seed for sample in data_samples or () for seed in sample.get('view_seeds') or ()]
        if len(seeds) != num_samples * num_views:
            raise ValueError(
                f'ViewPreprocessor: {num_samples} samples of {num_views} views need as many view_seeds in their data '
                f'samples for training, got {len(seeds)}; sample with SampleViews and pack with PackViews, or switch '
                'color_jitter, gray_prob, blur_prob and temporal_difference_prob off.'
            )
        return seeds
