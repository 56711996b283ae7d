"""Stored token maps as the samples of an ordinary recognizer."""

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseDataPreprocessor

from .clips import split


@MODELS.register_module()
class TokenPreprocessor(BaseDataPreprocessor):
    """Stacks maps and moves them to the device; in place of the preprocessor of clips, without augmentation.

    Args:
        per_clip: Whether each clip has a label of its own, as those of ``PlaybackRate``: V clips of N videos become N V
            samples, as :class:`~iboot_mm.models.preprocessors.clips.ClipPreprocessor` makes them. Else a video is one
            sample, over whose clips the head averages.
        non_blocking: Whether copies to the device may overlap with work on the host.

    Raises:
        ValueError: on a sample whose labels are not as many as its clips, with ``per_clip``.
    """

    def __init__(self, per_clip: bool = False, non_blocking: bool = True) -> None:
        super().__init__(non_blocking=non_blocking)
        self.per_clip = per_clip

    def forward(self, data: dict, training: bool = False) -> dict:
        """``inputs``, float16 ``(V, D, T, h, w)`` of N videos, become float32 ``(N, V, D, T, h, w)``, or with
        ``per_clip`` ``(N V, 1, D, T, h, w)``.
        """
        data = self.cast_data(data)
        maps = data['inputs']
        maps = (maps if isinstance(maps, torch.Tensor) else torch.stack(list(maps))).float()
        if not self.per_clip:
            return {**data, 'inputs': maps}
        samples = [clip for sample in data['data_samples'] for clip in split(sample, maps.shape[1])]
        return {**data, 'inputs': maps.flatten(0, 1).unsqueeze(1), 'data_samples': samples}
