"""iBoot with targets that a teacher has left on the disk."""

from typing import Any, NamedTuple

import numpy as np
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor

from .iboot import IBoot


class AbsentTeacher(NamedTuple):
    """What the network needs to know of a teacher that is not in memory."""

    name: str
    width: int
    shown: str | dict = 'frames'


@MODELS.register_module()
class CachedIBoot(IBoot):
    """iBoot whose targets come with the data, read by :class:`~iboot_mm.datasets.transforms.LoadTargets`.

    All views go to the backbone; the teacher's view is one of K clips of the video that were encoded before training
    (:class:`~iboot_mm.engine.target_loop.TargetLoop`). :class:`~iboot_mm.engine.hooks.TargetCheckHook` compares what
    they are of with the config. Checkpoints are those of :class:`IBoot` in every key.

    Differs from it in that a video has K reference clips in the whole run rather than one in each epoch, and in that
    ``target_norm`` knows clips, averaged over their frames, not frames: ``'center'`` gives the same targets, since it
    commutes with the mean over time, but ``'standardize'`` divides by the smaller deviation of clips.

    Example:
        >>> model = dict(type='CachedIBoot', width=512,  # and all that IBoot takes
        ...              backbone=dict(type='SlowResNet', depth=50), feature_dim=2048,
        ...              teacher=dict(type='OpenCLIPTeacher', model='ViT-B-16', pretrained='openai'))

    Args:
        backbone: Config of the video encoder.
        feature_dim: Width D of the backbone's features.
        teacher: Config of the frozen image model; it says whose targets these are and is not built.
        width: Of the teacher's features.
        motion: As in :class:`IBoot`; what the teacher of motion says is stored behind the other's features
            (``motion_width`` numbers), from another moment of the video: ``own_clip`` must be False.
        motion_width: Of the motion target's features.
        temporal_pool: Must be True: what is stored are means over time.
        momentum: Must be None: the reference clip itself is not there for a momentum copy.
        **kwargs: ``target_norm`` and others of :class:`IBoot`.

    Raises:
        ValueError: several teachers, or an option that the stored targets do not serve.
    """

    def __init__(self, backbone: dict, feature_dim: int, teacher: dict, width: int, temporal_pool: bool = True,
                 momentum: dict | None = None, motion: dict | None = None, motion_width: int = 0,
                 **kwargs: Any) -> None:
        if isinstance(teacher, list) or not temporal_pool or momentum is not None:
            raise ValueError('CachedIBoot has the features of one teacher, averaged over time, and no reference clips: '
                             'set temporal_pool=True, momentum=None and a single teacher, or train IBoot')
        if motion is not None and (motion.get('own_clip') or motion_width < 1):
            raise ValueError('CachedIBoot has the motion of reference clips alone, of which it must know the width: '
                             "set motion.own_clip=False and motion_width to the width of motion.teacher's features, or "
                             'train IBoot')
        if motion is not None:
            motion = dict(motion, teacher=absent(motion.get('teacher', teacher), motion_width))
        super().__init__(backbone, feature_dim, absent(teacher, width), motion=motion, **kwargs)
        self.width, self.motion_width = width, motion_width if motion is not None else 0
        self.teachers = []  # whoever asks for features of the teachers finds none

    def forward(self, inputs: Tensor, data_samples: list[ActionDataSample] | None = None,
                mode: str = 'tensor') -> dict[str, Tensor] | list[ActionDataSample] | Tensor:
        """As :meth:`IBoot.forward`; in mode ``'loss'`` all views ``(N, V, C, T, H, W)`` are the backbone's.

        Raises:
            ValueError: data samples without targets, or with targets of another width.
        """
        if mode != 'loss':
            return super().forward(inputs, data_samples, mode)
        targets = self.read_targets(data_samples, inputs.device)
        appearance = self.target_norms[0](targets[:, None, :self.width])  # (N, 1, D_q)
        return self.match(inputs.transpose(0, 1).flatten(0, 1), [appearance], targets[:, self.width:])

    def read_targets(self, data_samples: list[ActionDataSample] | None, device: torch.device) -> Tensor:
        """The ``target`` of N data samples, float32 ``(N, D)`` on the device, in one copy; motion comes last."""
        expected = self.width + self.motion_width
        targets = [sample.get('target') for sample in data_samples or ()]
        widths = {len(target) for target in targets if target is not None}
        if widths != {expected} or any(target is None for target in targets):
            raise ValueError(f'CachedIBoot wants a target of width {expected} in each data sample, got '
                             f"{sorted(widths) or 'none'}: put dict(type='LoadTargets', store=...) before PackViews in "
                             'the training pipeline, and set model.width to the width of the teacher')
        return torch.from_numpy(np.stack(targets)).to(device, non_blocking=True).float()


def absent(teacher: dict, width: int) -> dict:
    """Config of the stand-in for a teacher of this config."""
    model = teacher['model']
    name = teacher.get('name') or (model.split('.')[0] if isinstance(model, str) else model['type'])
    return dict(type=AbsentTeacher, name=name, width=width)
