"""Random hue, saturation and value, as for images of which few are labelled."""

from collections.abc import Sequence

import numpy as np
import torch
from mmaction.registry import MODELS
from torch import Tensor

from .photometric import hue_to_rgb, rgb_to_hue
from .views import ViewPreprocessor

# Second word of the seed of a view's stream: keeps it apart from that of the colours.
HSV_TAG = 0xC0103
# Bounds of the public code of S4L (``hsvnoise``): a shift of the hue in turns; of saturation and of value the binary
# logarithms of a power and of a factor, and a shift.
HUE, POWER, FACTOR, SHIFT = (-.1, .1), (-2., 2.), (-.5, .5), (-.1, .1)
BOUNDS = np.array([HUE, POWER, FACTOR, SHIFT, POWER, FACTOR, SHIFT]).T  # low and high of hue, saturation, value


@MODELS.register_module()
class HSVPreprocessor(ViewPreprocessor):
    """Colours of :class:`ViewPreprocessor`, then, in training, a random hue, saturation and value for each clip.

    VIVI has it where a fraction of ImageNet is labelled (section 4), as S4L (https://arxiv.org/abs/1905.03670):
    saturation and value become ``2^b x^(2^a) + c`` with draws of their own, the hue is shifted, and all are cut to
    [0, 1].

    Example:
        >>> model = dict(type='CoTrainedVIVI', image_preprocessor=dict(type='HSVPreprocessor', gray_prob=0.))
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """See :meth:`ViewPreprocessor.forward`."""
        prepared = super().forward(data, training)
        if training:
            views = prepared['inputs']
            seeds = self._view_seeds(data['data_samples'], *views.shape[:2])
            with torch.autocast(self.device.type, enabled=False):
                draws = draw_hsv(seeds).to(views, non_blocking=True)
                prepared['inputs'] = randomize_hsv(views.flatten(0, 1), draws).view_as(views)
        return prepared


def draw_hsv(view_seeds: Sequence[int]) -> Tensor:
    """Draws ``(B, 7)``: shift of the hue; power, factor and shift of saturation, then of value. By the seeds alone."""
    drawn = np.stack([np.random.default_rng([int(seed), HSV_TAG]).uniform(*BOUNDS) for seed in view_seeds])
    drawn[:, [1, 2, 4, 5]] = 2.**drawn[:, [1, 2, 4, 5]]
    return torch.from_numpy(drawn)


def randomize_hsv(clips: Tensor, draws: Tensor) -> Tensor:
    """Clips ``(B, 3, T, H, W)`` in [0, 1] with the draws ``(B, 7)`` of :func:`draw_hsv`."""
    turn, *of_both = (draw.view(-1, 1, 1, 1) for draw in draws.unbind(1))
    hue, chroma, value = rgb_to_hue(clips)
    saturation = chroma / value.clamp_min(torch.finfo(value.dtype).tiny)
    saturation, value = (
        (x.pow(power) * factor + shift).clamp(0, 1)
        for x, (power, factor, shift) in ((saturation, of_both[:3]), (value, of_both[3:])))
    return hue_to_rgb(hue + 6 * turn, saturation * value, value)
