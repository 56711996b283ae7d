"""iBoot: Image-bootstrapped Self-Supervised Video Representation Learning (Saleh et al., 2022).

No code of the paper is public; this follows its section 3, its ablations (Tables 1 to 5) and Algorithm 1. Deviations:
the loss is the mean, not the sum, over online views (LARS makes the weights blind to the factor), and ``target_norm``,
``contrast``, ``head`` and the motion target are ours.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from mmaction.registry import MODELS
from mmengine.dist import all_gather, get_rank
from torch import Tensor, nn

from ...ranges import above_zero
from ..losses.views import cosine_distance, spread, target_info_nce
from ..modules.features import check_width, frame_features, match_time
from ..modules.momentum import MomentumCopy
from ..modules.projectors import MLP
from ..modules.target_norm import TargetNorm
from .base import BasePretrainer
from .motion import MotionTarget


@MODELS.register_module()
class IBoot(BasePretrainer):
    """A video encoder learns to match, from other moments of a video, what a frozen image model sees in one.

    View 0 of each video goes to the targets, the others to the backbone; a single view goes to both (Table 5, first
    row). Each target has its own linear map W and its own loss term (Table 2).

    Example:
        >>> model = dict(
        ...     type='IBoot',
        ...     backbone=dict(type='SlowResNet', depth=50),
        ...     feature_dim=2048,
        ...     teacher=dict(type='OpenCLIPTeacher', model='ViT-B-16-quickgelu', pretrained='openai'))

    Args:
        backbone: Config of the video encoder.
        feature_dim: Width D of the backbone's features.
        teacher: Config of the frozen image model, or a list of them.
        temporal_pool: Average both sides over time before the cosine (Table 4, the better setting); otherwise the
            cosine is taken per time step of the backbone, the teacher's T frames averaged into as many bins.
        target_norm: ``'none'`` (the paper), ``'center'`` or ``'standardize'``: see
            :class:`~iboot_mm.models.modules.target_norm.TargetNorm`. Teachers only.
        contrast: Temperature of InfoNCE against the targets of the batch's other videos, in place of the cosine: to be
            near the own video's target is then not enough, it has to be nearer than the others'
            (:func:`~iboot_mm.models.losses.views.target_info_nce`). Needs ``temporal_pool``. None for the paper's.
        head: Arguments of :class:`~iboot_mm.models.modules.projectors.MLP`, as ``dict(hidden_dim=512)``: the backbone
            learns through such a head for each target, which is thrown away, and W learns the same from features
            without gradient, so that it still leads into the teacher's space. Needs ``temporal_pool``. None for the
            paper's, in which the backbone learns through W.
        momentum: Arguments of :class:`~iboot_mm.models.modules.momentum.MomentumCopy`, as ``dict(base=.996)``, to add a
            momentum copy of the backbone as one more target (Table 3); needs ``MomentumUpdateHook``. None for none.
        motion: Arguments of :class:`~iboot_mm.models.pretrainers.motion.MotionTarget`, ``dict()`` for its defaults, to
            learn motion, too, from the (first) teacher or another one. None for no such target, as in the paper.
        **kwargs: ``data_preprocessor``, ``init_cfg``, ``normalization``, ``channels_last`` and ``compile`` of
            :class:`~iboot_mm.models.VideoEncoder`.
    """

    def __init__(self, backbone: dict, feature_dim: int, teacher: dict | list[dict], temporal_pool: bool = True,
                 target_norm: str = 'none', contrast: float | None = None, head: dict | None = None,
                 momentum: dict | None = None, motion: dict | None = None, **kwargs: Any) -> None:
        super().__init__(backbone, **kwargs)
        if not temporal_pool and (contrast is not None or head is not None):
            raise ValueError('IBoot: contrast and head are of whole clips: set temporal_pool=True, or both to None')
        if contrast is not None:
            above_zero('IBoot', contrast=contrast)
        self.feature_dim = feature_dim
        self.contrast = contrast
        self.temporal_pool = temporal_pool
        # Teachers are no nn.Modules, so neither checkpoint nor optimizer nor SyncBN conversion can find them.
        configs = teacher if isinstance(teacher, list) else [teacher]
        self.teachers = [MODELS.build(config) for config in configs]
        self.momentum = MomentumCopy(self.backbone, **momentum) if momentum is not None else None
        self.target_names = _unique([_slug(t.name) for t in self.teachers] + ['momentum'] * (momentum is not None))
        widths = [t.width for t in self.teachers] + [feature_dim] * (momentum is not None)
        self.projectors = nn.ModuleList(nn.Linear(feature_dim, width) for width in widths)
        self.heads = None if head is None else nn.ModuleList(
            MLP(feature_dim, out_dim=width, **{'num_layers': 2, **head}) for width in widths)
        self.target_norms = nn.ModuleList(TargetNorm(t.width, target_norm) for t in self.teachers)
        self.motion = MotionTarget(feature_dim, **{'teacher': configs[0], **motion}) if motion is not None else None
        for network in [*self.teachers] + [self.momentum.network for _ in range(momentum is not None)]:
            self.compile_network(network)

    @property
    def online(self) -> nn.Module:
        """What the momentum copy follows."""
        return self.backbone

    def loss(self, views: Tensor) -> dict[str, Tensor]:
        """Algorithm 1 of the paper.

        Args:
            views: Views ``(N, V, C, T, H, W)`` in [0, 1]; V = 1 shows the teacher's own view to the backbone.

        Returns:
            Per target ``loss_<name>``, with ``head`` also ``loss_<name>_head``, ``cosine_<name>`` and
            ``spread_<name>``, which are of W, and ``spread_student``, the mean over targets of the spread of the
            projected features; what :class:`MotionTarget` returns, if there is one.
        """
        # View-major, as the paper concatenates v_1 and v_2: one forward pass, one set of BN statistics.
        online = (views[:, 1:] if views.shape[1] > 1 else views).transpose(0, 1).flatten(0, 1)  # (V' N, C, T, H, W)
        reference = views[:, 0]
        motion = (None if self.motion is None
                  else self.motion.targets(online if self.motion.own_clip else reference))
        return self.match(online, self.targets(reference), motion)

    def match(self, online: Tensor, targets: Iterable[Tensor], motion: Tensor | None = None) -> dict[str, Tensor]:
        """What :meth:`loss` returns.

        Args:
            online: Online clips ``(V' N, C, T, H, W)``, view-major.
            targets: Each target's ``(N, T, D_q)``.
            motion: The motion target's ``(N, D_q)`` or ``(V' N, D_q)``, if there is one.
        """
        features = self.extract_feat(online)  # (V' N, T', D)
        check_width(features, self.feature_dim)
        losses, student_spreads = {}, []
        of_w = features if self.heads is None else features.detach()
        for i, (name, project, target) in enumerate(zip(self.target_names, self.projectors, targets, strict=True)):
            if self.temporal_pool:
                k, q = project(of_w.mean(dim=1)), target.mean(dim=1)  # (V' N, D_q), (N, D_q)
            else:
                check_time(name, target, features.shape[1])
                k, q = project(features), match_time(target, features.shape[1])  # (V' N, T', D_q), (N, T', D_q)
            losses[f'loss_{name}'] = self.term(k, q)
            if self.heads is not None:
                losses[f'loss_{name}_head'] = self.term(self.heads[i](features.mean(dim=1)), q)
            losses[f'cosine_{name}'] = 1 - cosine_distance(k.detach().unflatten(0, (-1, len(q))), q).mean() / 2
            losses[f'spread_{name}'] = spread(q)
            student_spreads.append(spread(k))
        losses['spread_student'] = sum(student_spreads) / len(student_spreads)
        return losses if self.motion is None else {**losses, **self.motion(features.mean(dim=1), motion)}

    def term(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """What a target adds to the loss: equation 1, or InfoNCE with the targets of all ranks.

        Args:
            predictions: Of the online clips, view-major ``(V' N, D_q)`` or ``(V' N, T', D_q)``.
            targets: ``(N, D_q)`` or ``(N, T', D_q)``, without gradient.
        """
        predictions = predictions.unflatten(0, (-1, len(targets)))
        if self.contrast is None:
            return cosine_distance(predictions, targets).mean()  # of (V', N) or (V', N, T')
        everyone = torch.cat(all_gather(targets.float().contiguous()))  # (R N, D_q)
        return target_info_nce(predictions, everyone, get_rank() * len(targets), self.contrast).mean()

    def targets(self, reference: Tensor) -> Iterator[Tensor]:
        """What each target network makes of the reference clips.

        Args:
            reference: Clips ``(N, C, T, H, W)`` in [0, 1].

        Yields:
            Features ``(N, T, D_q)`` without gradient: each teacher's, normalised, then the momentum copy's.
        """
        for teacher, normalize in zip(self.teachers, self.target_norms, strict=True):
            yield normalize(teacher(reference))
        if self.momentum is not None:
            yield frame_features(self.momentum(self.normalize(reference))).detach()

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        # mmengine only logs a mismatch of shapes, and training would go on with a random W.
        for i, (name, projector) in enumerate(zip(self.target_names, self.projectors, strict=True)):
            saved = state_dict.get(f'{prefix}projectors.{i}.weight', projector.weight)
            if saved.shape != projector.weight.shape:
                raise ValueError(
                    f'projectors.{i} of the checkpoint maps width {saved.shape[1]} to {saved.shape[0]}, but target '
                    f'{name!r} needs {self.feature_dim} to {len(projector.weight)}: name the teacher that it was '
                    "trained with, or load the backbone alone with model.backbone.init_cfg=dict(type='Pretrained', "
                    "checkpoint=..., prefix='backbone.')")
        super()._load_from_state_dict(state_dict, prefix, *args)


def check_time(name: str, target: Tensor, steps: int) -> None:
    """Whether a target ``(N, T, D)`` has as many frames as the backbone has time steps.

    Raises:
        ValueError: it has fewer.
    """
    if target.shape[1] < steps:
        raise ValueError(f'target {name!r} has {target.shape[1]} frames of a clip for {steps} time steps of the '
                         f'backbone: set temporal_pool=True, or frames of the teacher to at least {steps}')


def _slug(name: str) -> str:
    return re.sub(r'\W+', '_', name)


def _unique(names: list[str]) -> list[str]:
    return [name if names.count(name) == 1 else f'{name}_{i}' for i, name in enumerate(names)]
