"""The motion target: which way things go, told by the same frozen image model (beyond the iBoot paper; ours)."""

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from ...ranges import above_zero
from ..losses.views import cosine_distance, spread
from ..modules.clusters import TargetClusters
from ..modules.target_norm import TargetNorm


class MotionTarget(nn.Module):
    """What a frozen image model says of a clip's motion, as one more target of :class:`IBoot` with a W of its own.

    By clusters, W gives a score to each k-means cluster of the teacher's features and the loss is the cross entropy of
    the right one; by cosine, it is that of the appearance target, on standardised features. Correspondences are few
    numbers and noisy, and a cluster of them says what is common to many clips: on moving digits a student of their
    clusters knows motion, and one of the numbers themselves a third of it (docs/motion_target.md).

    Args:
        feature_dim: Width D of the backbone's features.
        teacher: Config of the frozen image model.
        shown: What it is shown of a clip, see :class:`~iboot_mm.models.teachers.FrozenTeacher`: ``'correspondences'``
            or ``'dynamic_image'``, or a dict of their options. ``'frames'`` does, too: then this is one more appearance
            target, by clusters.
        clusters: Number of clusters; None for the cosine.
        bank: Features in which the clusters are found, see :class:`~iboot_mm.models.modules.clusters.TargetClusters`.
        own_clip: The backbone is told the motion of the very clip that it sees, from the same crop and flip; otherwise
            that of the appearance target's clip, another moment of the video, at a half or less of the cost.
        weight: Of the loss, beside the appearance target's.

    Raises:
        ValueError: an impossible option.
    """

    def __init__(self, feature_dim: int, teacher: dict, shown: str | dict = 'correspondences',
                 clusters: int | None = 32, bank: int = 1024, own_clip: bool = False, weight: float = 1.) -> None:
        super().__init__()
        above_zero('model.motion', weight=weight)
        self.teacher = MODELS.build(dict(teacher, shown=shown))  # no nn.Module, see IBoot
        self.name = (shown if isinstance(shown, str) else shown['type']).replace('_', ' ')
        self.own_clip, self.weight = own_clip, weight
        width = self.teacher.width
        self.clusters = TargetClusters(width, clusters, bank) if clusters is not None else None
        self.norm = TargetNorm(width, 'standardize') if clusters is None else None
        self.project = nn.Linear(feature_dim, width if clusters is None else clusters)

    def targets(self, clips: Tensor) -> Tensor:
        """The teacher's features ``(N, D_q)`` of clips ``(N, C, T, H, W)`` in [0, 1], averaged over time."""
        return self.teacher(clips).mean(dim=1)

    def forward(self, features: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """The loss and figures to log.

        Args:
            features: The backbone's ``(V' N, D)``, view-major.
            targets: :meth:`targets` of the N reference clips, or of the ``V' N`` online clips.

        Returns:
            ``loss_motion``, ``spread_motion`` of the targets, and by clusters ``accuracy_motion``, the share of clips
            whose cluster has the highest score, in [0, 1], or by cosine ``cosine_motion``.
        """
        with torch.autocast(features.device.type, enabled=False):
            scores = self.project(features.float()).unflatten(0, (-1, len(targets)))  # (1 or V', ., K or D_q)
            if self.clusters is None:
                loss, figures = self._by_cosine(scores, self.norm(targets))
            else:
                loss, figures = self._by_cluster(scores, self.clusters(targets))
        return dict(loss_motion=self.weight * loss, spread_motion=spread(targets), **figures)

    def _by_cosine(self, scores: Tensor, targets: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        distance = cosine_distance(scores, targets).mean()
        return distance, dict(cosine_motion=1 - distance.detach() / 2)

    def _by_cluster(self, scores: Tensor, labels: Tensor | None) -> tuple[Tensor, dict[str, Tensor]]:
        if labels is None:  # a gradient of 0 rather than none: the distributed wrapper waits for each parameter's
            return 0 * scores.sum(), dict(accuracy_motion=scores.new_zeros(()))
        labels = labels.expand(scores.shape[:-1])
        return (F.cross_entropy(scores.flatten(0, 1), labels.flatten()),
                dict(accuracy_motion=(scores.argmax(-1) == labels).float().mean()))
