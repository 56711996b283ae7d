"""Views as the samples of an ordinary recognizer."""

from collections.abc import Sequence
from typing import Any

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor

from ..encoders.video import BACKBONE_MEAN, BACKBONE_STD
from .views import ViewPreprocessor


@MODELS.register_module()
class ClipPreprocessor(ViewPreprocessor):
    """V views of N videos become N V samples of one clip each, with a label each: what MMAction2's heads know.

    Colours and blur on the device, as :class:`~iboot_mm.models.preprocessors.ViewPreprocessor`; then the clips are
    normalised as MMAction2's ``ActionDataPreprocessor`` does it.

    Example:
        >>> model = dict(type='Recognizer3D', data_preprocessor=dict(type='ClipPreprocessor', blur_prob=0.), ...)

    Args:
        mean: Of R, G and B on the [0, 1] scale.
        std: As ``mean``.
        **kwargs: Of ``ViewPreprocessor``.

    Raises:
        ValueError: on a sample whose labels are not as many as its views.
    """

    def __init__(self, mean: Sequence[float] = BACKBONE_MEAN, std: Sequence[float] = BACKBONE_STD,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        shape = (3, 1, 1, 1)
        self.register_buffer('mean', torch.tensor(mean).view(shape), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(shape), persistent=False)

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepares one batch: ``inputs`` becomes ``(N V, 1, C, T, H, W)``, ``data_samples`` a list of N V."""
        data = super().forward(data, training)
        views: Tensor = data['inputs']  # (N, V, C, T, H, W)
        samples = [clip for sample in data['data_samples'] for clip in split(sample, views.shape[1])]
        return {**data, 'inputs': ((views - self.mean) / self.std).flatten(0, 1).unsqueeze(1), 'data_samples': samples}


def split(sample: ActionDataSample, num_views: int) -> list[ActionDataSample]:
    """One data sample per view, with its own label and the video's metainfo."""
    labels = sample.get('gt_label', ())
    if len(labels) != num_views:
        raise ValueError(f"'{sample.get('filename', '')}' has {num_views} views and {len(labels)} "
                         "labels; sample with PlaybackRate and pack with PackViews(label='playback_rate').")
    return [ActionDataSample(metainfo=sample.metainfo, gt_label=label[None]) for label in labels]
