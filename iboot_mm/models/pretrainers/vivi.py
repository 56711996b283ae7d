"""VIVI (https://arxiv.org/abs/1912.02783): an encoder of frames that learns from the shots of videos.

The views are single frames, K shots of L frames of each video, so that each frame is augmented by itself.
"""

from typing import Any

import torch
from mmaction.registry import MODELS
from torch import Tensor

from ...ranges import at_least
from ...weights.state_dicts import misfits
from ..losses.views import spread
from ..modules.features import check_width
from ..modules.shot_pooling import AttentionPool, AveragePool
from .base import BasePretrainer


@MODELS.register_module()
class VIVI(BasePretrainer):
    """L = L_S + lambda L_V: a loss between the frames of shots, and one between the shots of videos (section 3.1).

    The paper's sums over frames, shots and videos are means here, which lambda absorbs.

    Example:
        >>> model = dict(type='VIVI', backbone=dict(type='FrameResNetV2'), feature_dim=2048, num_shots=4,
        ...              shot_loss=dict(type='ExemplarHead'), video_loss=dict(type='ShotSequenceHead'))

    Args:
        backbone: Config of the frame encoder; any MMAction2 backbone that takes clips of one frame.
        feature_dim: Width D of the backbone's features.
        num_shots: Shots K of a video; the frames-only baseline has 1, whose L views are one frame (``same_clip=True``
            of ``SampleViews``).
        shot_loss: Config of L_S without ``in_channels``: :class:`~iboot_mm.models.heads.ExemplarHead` or
            :class:`~iboot_mm.models.heads.RotationHead`.
        video_loss: Config of L_V without ``in_channels`` and ``num_shots``:
            :class:`~iboot_mm.models.heads.ShotPairHead`, :class:`~iboot_mm.models.heads.ShotSequenceHead` or
            :class:`~iboot_mm.models.heads.ShotOrderHead`; None for shots alone.
        video_weight: lambda. The text gives no value; our choice makes both losses about equal where they begin in the
            paper's batch, at .5 (the margin) and log(2047) = 7.6.
        shot_pool: How frames make a shot's embedding: ``'average'`` or ``'attention'``.
        standardize: Whether in training each frame is normalised by its own mean and deviation, as in the public code
            that the exemplar baselines follow; what is evaluated has those of ``normalization`` (our choice).
        **kwargs: ``data_preprocessor``, ``init_cfg``, ``normalization``, ``channels_last`` and ``compile`` of
            :class:`~iboot_mm.models.pretrainers.base.BasePretrainer`.

    Raises:
        ValueError: an unknown pooling, or one that no loss would train; lambda is not above 0; a number of shots that
            a loss cannot take.
        ValueError: on loading a checkpoint in which a weight has another shape.
    """

    def __init__(self, backbone: dict, feature_dim: int, num_shots: int, shot_loss: dict,
                 video_loss: dict | None = None, video_weight: float = .1, shot_pool: str = 'average',
                 standardize: bool = False, **kwargs: Any) -> None:
        super().__init__(backbone, **kwargs)
        if shot_pool not in ('average', 'attention'):
            raise ValueError(f"shot_pool={shot_pool!r} is unknown to VIVI: choose 'average' or 'attention'")
        if shot_pool == 'attention' and video_loss is None:
            raise ValueError("shot_pool='attention' is trained by the video loss: set video_loss, or "
                             "shot_pool='average'")
        if video_weight <= 0:
            raise ValueError(f'VIVI: video_weight must be above 0, got {video_weight}: for shots alone set '
                             'video_loss=None')
        at_least(1, 'VIVI', num_shots=num_shots)
        self.feature_dim = feature_dim
        self.num_shots = num_shots
        self.video_weight = video_weight
        self.standardize = standardize
        self.pool = AttentionPool(feature_dim) if shot_pool == 'attention' else AveragePool()
        self.shot_loss = MODELS.build(dict(shot_loss, in_channels=feature_dim))
        self.video_loss = None if video_loss is None else MODELS.build(
            dict(video_loss, in_channels=feature_dim, num_shots=num_shots))

    def loss(self, views: Tensor) -> dict[str, Tensor]:
        """See :meth:`losses`, for views ``(N, K L, C, 1, H, W)`` in [0, 1], shot after shot."""
        return self.losses(self.encode(views))

    def encode(self, views: Tensor) -> Tensor:
        """Views ``(N, K L, C, 1, H, W)`` to features ``(R, N, K, L, D)``; R copies of each frame, the upright first.

        R is 4 with rotations and 1 without. All frames share one forward pass, and so their BN statistics.

        Raises:
            ValueError: views of several frames, or that do not divide into the shots; another width of the backbone.
        """
        if views.shape[3] != 1 or views.shape[1] % self.num_shots:
            raise ValueError(f'VIVI wants num_shots={self.num_shots} shots of views that are single frames, got '
                             f'{views.shape[1]} views of {views.shape[3]} frames: sample with SampleShots '
                             f'(num_shots={self.num_shots}), or with SampleViews (clip_len=1) for frames alone')
        copies = self.shot_loss.copies(views.flatten(0, 1))  # (R, N K L, C, 1, H, W)
        features = self.extract_feat(copies.flatten(0, 1)).mean(dim=1)
        check_width(features, self.feature_dim)
        return features.view(len(copies), len(views), self.num_shots, -1, self.feature_dim)

    def normalize(self, clips: Tensor) -> Tensor:
        """See :meth:`VideoEncoder.normalize`; with ``standardize``, in training, see :func:`standardize`."""
        return standardize(clips) if self.standardize and self.training else super().normalize(clips)

    def losses(self, features: Tensor) -> dict[str, Tensor]:
        """L_S and lambda L_V of features ``(R, N, K, L, D)``, and figures to log.

        Returns:
            ``loss_shot``; ``loss_video``, weighted; ``shot_accuracy``, ``video_accuracy`` and the ``_chance`` of each,
            in [0, 1], this rank's; ``spread_student``, of the shots' embeddings.
        """
        shots = self.pool(features[0])  # (N, K, D)
        found = named('shot', 1., **self.shot_loss(features))
        if self.video_loss is not None:
            found |= named('video', self.video_weight, **self.video_loss(shots))
        return dict(found, spread_student=spread(shots))

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        # mmengine only logs a mismatch of shapes, and training would go on with a random head.
        own = {prefix + key: value for key, value in self.state_dict().items() if prefix + key in state_dict}
        problem = next(misfits(own, state_dict), None)
        if problem is not None:
            raise ValueError(f'the checkpoint does not fit the losses of the config ({problem}): set model.shot_loss '
                             'and model.video_loss to what it was trained with, or load the backbone alone with '
                             "model.backbone.init_cfg=dict(type='Pretrained', checkpoint=..., prefix='backbone.')")


def standardize(clips: Tensor) -> Tensor:
    """Clips ``(B, C, T, H, W)``, each less its mean and over its deviation, as TensorFlow standardises an image.

    The deviation of one colour alone counts as 1 / sqrt(C T H W).
    """
    deviation, mean = torch.std_mean(clips, dim=(1, 2, 3, 4), correction=0, keepdim=True)
    return (clips - mean) / deviation.clamp_min(clips[0].numel() ** -.5)


def named(level: str, weight: float, loss: Tensor, accuracy: Tensor, chance: Tensor) -> dict[str, Tensor]:
    """What a head returns, under the names that are logged."""
    return {f'loss_{level}': weight * loss, f'{level}_accuracy': accuracy, f'{level}_chance': chance}
