"""Where a video network sees what it was taught: its features, place by place, beside the target; no gradients."""

import inspect

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from ..checkpoints.description import CheckpointInfo
from ..models.modules.features import match_time
from ..models.modules.target_norm import TargetNorm
from ..models.teachers import FrozenTeacher


class Agreement(nn.Module):
    """A student's counterpart of the class token's attention. It is ours: the paper shows its teacher alone.

    Training averages the backbone's map over space and, with ``temporal_pool``, time, maps it by W and compares it with
    the teacher's feature q. W is linear, so that is the average of W over the places, and the cosine of W f(place) with
    q says what each place adds to it. A network without a teacher is compared with its own average over the clip.

    Args:
        info: The checkpoint.
        teacher: Its first teacher, built; None where there is none.
    """

    def __init__(self, info: CheckpointInfo, teacher: FrozenTeacher | None) -> None:
        super().__init__()
        self.encoder, self.teacher = info.build_encoder(), teacher
        self.path, self.temporal_pool = info.path, info.temporal_pool
        if teacher is not None:
            self.project = nn.Linear(info.feature_dim, info.teachers[0]['width'])
            self.project.load_state_dict(_part(info, 'projectors.0.'))
            self.target_norm = TargetNorm(info.teachers[0]['width'], info.target_norm)
            self.target_norm.load_state_dict(_part(info, 'target_norms.0.'))
        self.eval()

    @torch.no_grad()
    def forward(self, clips: Tensor) -> Tensor:
        """Cosines float32 ``(N, T', h, w)`` over the backbone's map, of clips ``(N, C, T, H, W)`` in [0, 1].

        Raises:
            ValueError: the backbone gives no map over space and time.
        """
        places = self.encoder.backbone(self.encoder.normalize(clips))
        while isinstance(places, (list, tuple)):  # of several stages the last
            places = places[-1]
        if places.ndim != 5:
            raise ValueError(f'the backbone of {self.path} gives no map over time and space: nothing to draw')
        places = places.permute(0, 2, 3, 4, 1).float()  # (N, T', h, w, D)
        if self.teacher is None:
            target = places.mean(dim=(1, 2, 3))[:, None]
        else:
            places, target = self.project(places), self.target_norm(self.teacher(clips))  # (N, T, D)
            target = target.mean(dim=1, keepdim=True) if self.temporal_pool else match_time(target, places.shape[1])
        return F.cosine_similarity(places, target[:, :, None, None], dim=-1)


def _part(info: CheckpointInfo, prefix: str) -> dict[str, Tensor]:
    """The weights below a name."""
    return {key.removeprefix(prefix): value for key, value in info.state.items() if key.startswith(prefix)}


def build_agreement(info: CheckpointInfo, teacher: dict | None = None, weights: str | None = None) -> Agreement:
    """With the checkpoint's first teacher, if it had one.

    Args:
        info: The checkpoint.
        teacher: Config that takes the place of the checkpoint's own.
        weights: Local file of the weights of the checkpoint's own teacher.

    Raises:
        ValueError: it is another teacher than the checkpoint's, to go by the width of its features.
        ConnectionError: its weights are not here and the hub is out of reach.
    """
    if not info.teachers:
        return Agreement(info, None)
    built = MODELS.build(teacher or _teacher_config(info, weights))
    if built.width != info.teachers[0]['width']:
        raise ValueError(f'{info.path} was trained towards features of width {info.teachers[0]["width"]}, and those of '
                         f'teacher {built.name} have {built.width}: name the teacher that it was trained with')
    return Agreement(info, built)


def _teacher_config(info: CheckpointInfo, weights: str | None) -> dict:
    """The first teacher's, without what describes rather than builds it, such as its licence."""
    teacher = dict(info.teachers[0], **({} if weights is None else dict(checkpoint=weights)))
    known = inspect.signature(MODELS.get(teacher['type'])).parameters
    return {key: value for key, value in teacher.items() if key == 'type' or key in known}
