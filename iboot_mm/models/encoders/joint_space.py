"""Features of a video in the space of the image model that the network was trained towards."""

from collections.abc import Iterator
from typing import Any

import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from ..modules.target_norm import TargetNorm
from .video import VideoEncoder


@MODELS.register_module()
class JointSpaceEncoder(VideoEncoder):
    """A student with its linear map W: where the teacher is CLIP, videos come out in CLIP's image-text space.

    Zero-shot use is not in the iBoot paper. With f the feature of the backbone, training asks for the direction of W f
    only: its loss is a cosine with the target z. Without ``target_norm`` z is the teacher's feature t, and the unit
    vector u = W f / |W f| is returned. With it z = (t - mean) / scale by the stored statistics, so that

        t = mean + scale * (|z| u),

    in which |z| is the one unknown. It is set to the root mean square length that the stored variances give a frame's
    target, sqrt(sum_d var_d / scale_d^2), which is exact where all targets are equally long; the frames of a clip are
    taken to be alike, as averaging them over time shortens z.

    Keys in a checkpoint: ``backbone.*``, ``projectors.{target}.*`` and ``target_norms.{target}.*``, as in those of
    :class:`~iboot_mm.models.pretrainers.IBoot` and in published files.

    Example:
        >>> model = dict(type='JointSpaceEncoder', backbone=dict(type='SlowResNet', depth=50), feature_dim=2048,
        ...              width=512)

    Args:
        backbone: Config of the video encoder.
        feature_dim: Width of the backbone's features.
        width: Width D of the teacher's.
        target: Which of several teachers, by its place in the training config.
        target_norm: As in training.
        temporal_pool: As in training: whether features are averaged over time before W and the cosine, or after.
        **kwargs: ``data_preprocessor``, ``init_cfg``, ``normalization``, ``channels_last`` and ``compile`` of
            :class:`~iboot_mm.models.VideoEncoder`.

    Raises:
        ValueError: on loading a checkpoint without W, with W of another shape, or with another ``target_norm``.
    """

    def __init__(self, backbone: dict, feature_dim: int, width: int, target: int = 0, target_norm: str = 'none',
                 temporal_pool: bool = True, **kwargs: Any) -> None:
        super().__init__(backbone, **kwargs)
        self.temporal_pool = temporal_pool
        self.projectors = nn.ModuleDict({str(target): nn.Linear(feature_dim, width)})
        self.target_norms = nn.ModuleDict({str(target): TargetNorm(width, target_norm)})
        self.target = str(target)

    def extract_feat(self, clips: Tensor) -> Tensor:
        """Clips ``(N, C, T, H, W)`` in [0, 1] to features ``(N, T', D)`` in the teacher's space."""
        features = super().extract_feat(clips).float()
        return self.to_teacher(features.mean(dim=1, keepdim=True) if self.temporal_pool else features)

    def to_teacher(self, features: Tensor) -> Tensor:
        """Features ``(..., feature_dim)`` of the backbone to ``(..., D)``, see the class."""
        directions = F.normalize(self.projectors[self.target](features), dim=-1)
        norm = self.target_norms[self.target]
        return directions if norm.mode == 'none' else norm.inverse(norm.typical_norm() * directions)

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        problem = next(self._problems(state_dict, prefix), None)
        if problem is not None:
            raise ValueError(problem)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def _problems(self, saved: dict[str, Tensor], prefix: str) -> Iterator[str]:
        key, own = f'{prefix}projectors.{self.target}.weight', self.projectors[self.target].weight
        if key not in saved:
            yield (f'the checkpoint has no {key}, the map to the space of teacher {self.target}: take a training '
                   'checkpoint of iBoot, or the published file that is not named "_backbone"')
        elif saved[key].shape != own.shape:
            yield (f'{key} of the checkpoint maps width {saved[key].shape[1]} to {saved[key].shape[0]}, but the config '
                   f'says {own.shape[1]} to {own.shape[0]}: set model.feature_dim and model.width to those of training')
        has_norm = f'{prefix}target_norms.{self.target}.mean' in saved
        if has_norm != (self.target_norms[self.target].mode != 'none'):
            yield (f'the checkpoint was trained with{"" if has_norm else "out"} target_norm: set model.target_norm to '
                   'what it is in the training config')
