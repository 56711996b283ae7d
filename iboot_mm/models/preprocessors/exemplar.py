"""The gray of exemplars of single images."""

from typing import Any

import numpy as np
from mmaction.registry import MODELS
from torch import Tensor

from .views import ViewPreprocessor

# Second word of an image's stream: keeps it apart from those of crops and colours.
GRAY_TAG = 0xC0104


@MODELS.register_module()
class ExemplarPreprocessor(ViewPreprocessor):
    """Makes some images gray before anything else, all views of an image alike; then :class:`ViewPreprocessor`.

    VIVI trains its exemplar baselines as https://arxiv.org/abs/1901.09005 does (section 4), whose public code
    (``config/exemplar/imagenet.sh``, ``to_gray``) takes the mean of R, G and B with a probability of .66 before it cuts
    the 8 patches: what is gray is no cue of the image, and colours still are among its patches. By the first of the
    image's ``view_seeds``; rounded to 8 bits.

    Args:
        image_gray_prob: Probability that an image is gray.
        **kwargs: Of :class:`ViewPreprocessor`; ``gray_prob`` there is per view.

    Raises:
        ValueError: see :class:`ViewPreprocessor`, or a probability outside [0, 1].
    """

    def __init__(self, image_gray_prob: float = .66, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= image_gray_prob <= 1:
            raise ValueError(f'ExemplarPreprocessor: image_gray_prob must be in [0, 1], got {image_gray_prob}.')
        self.image_gray_prob = image_gray_prob

    def forward(self, data: dict, training: bool = False) -> dict:
        """See :meth:`ViewPreprocessor.forward`."""
        if training and self.image_gray_prob:
            images = list(data['inputs'])
            seeds = self._view_seeds(data.get('data_samples'), len(images), len(images[0]))[::len(images[0])]
            data = dict(data, inputs=[gray(views) if self.is_gray(seed) else views
                                      for views, seed in zip(images, seeds, strict=True)])
        return super().forward(data, training)

    def is_gray(self, seed: int) -> bool:
        """The draw of an image by the seed of its first view."""
        return np.random.default_rng([int(seed), GRAY_TAG]).random() < self.image_gray_prob


def gray(views: Tensor) -> Tensor:
    """Views uint8 ``(V, 3, T, H, W)`` with the mean of their channels in each."""
    return views.float().mean(1, keepdim=True).round().to(views.dtype).expand_as(views)
