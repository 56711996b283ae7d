"""The teacher as a video encoder: what its frames alone say of a video."""

from typing import Any

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModel
from torch import Tensor, nn

from ...stores.identity import digest_weights
from .video import write_features


@MODELS.register_module()
class TeacherEncoder(BaseModel):
    """A frozen image model whose features are averaged over the frames of a clip; the row that a student must beat.

    It takes the place of :class:`~iboot_mm.models.VideoEncoder` in any evaluation of frozen features.
    There is no checkpoint to load: the teacher brings its weights.

    Example:
        >>> model = dict(type='TeacherEncoder',
        ...              teacher=dict(type='OpenCLIPTeacher', model='ViT-B-16-quickgelu', pretrained='openai'))

    Args:
        teacher: Config of the frozen image model.
        data_preprocessor: Config of the preprocessor, :class:`~iboot_mm.models.preprocessors.ViewPreprocessor`.
        augment: Augment colours in tests too, each view by its own seed: the teacher's view of a training run is
            augmented, and :class:`~iboot_mm.engine.target_loop.TargetLoop` stores its features.
        motion: Arguments of a motion target, of which ``teacher`` and ``shown`` count, see :func:`motion_teacher`; what
            it says of a clip comes behind the frames' features.
    """

    def __init__(self, teacher: dict, data_preprocessor: dict | None = None, augment: bool = False,
                 motion: dict | None = None) -> None:
        super().__init__(MODELS.build({'type': 'ViewPreprocessor', **(data_preprocessor or {})}))
        self.teacher = MODELS.build(teacher)
        self.motion = MODELS.build(motion_teacher(teacher, motion)) if motion is not None else None
        self.augment = augment
        self.unused = nn.Parameter(torch.zeros(1))  # torch's distributed wrapper refuses a model without parameters

    def test_step(self, data: dict | tuple | list) -> list[ActionDataSample]:
        """As mmengine's ``BaseModel.test_step``, with ``augment``."""
        return self._run_forward(self.data_preprocessor(data, self.augment), mode='predict')

    def forward(self, inputs: Tensor, data_samples: list[ActionDataSample] | None = None,
                mode: str = 'tensor') -> list[ActionDataSample] | Tensor:
        """As :meth:`VideoEncoder.forward`; tokens, where the teacher gives them, are averaged too.

        Args:
            inputs: Views ``(N, V, C, T, H, W)`` in [0, 1].
            data_samples: N data samples; needed in mode ``'predict'``.
            mode: ``'predict'`` writes ``view_features`` ``(V, D)`` and ``feature`` ``(D,)`` into them, ``'tensor'``
                returns features ``(N, V, T, D)``.

        Raises:
            ValueError: unknown mode.
        """
        if mode not in ('predict', 'tensor'):
            raise ValueError(f"mode={mode!r} is unknown to TeacherEncoder: choose 'predict' or 'tensor'")
        features = self.teacher(inputs.flatten(0, 1))  # (N V, T, D) or (N V, T, L, D)
        features = features.mean(2) if features.dim() == 4 else features
        if self.motion is not None:
            features = torch.cat([part.mean(1, keepdim=True) for part in (features, self.motion(inputs.flatten(0, 1)))],
                                 dim=-1)
        features = features.unflatten(0, inputs.shape[:2])
        return features if mode == 'tensor' else write_features(data_samples, features)

    def identity(self) -> dict:
        """What the features are of, beyond the state dict, in which the teacher is not."""
        return _identity(self.teacher) | ({} if self.motion is None else dict(motion=_identity(self.motion)))

    @property
    def width(self) -> int:
        """Of the features."""
        return self.teacher.width + (self.motion.width if self.motion is not None else 0)


def motion_teacher(teacher: dict, motion: dict) -> dict:
    """Config of the teacher of a motion target (:class:`~iboot_mm.models.pretrainers.motion.MotionTarget`).

    Args:
        teacher: Config of the appearance target's teacher, which it is unless ``motion`` names another.
        motion: The motion target's arguments.
    """
    return dict(motion.get('teacher', teacher), shown=motion.get('shown', 'correspondences'))


def _identity(teacher: Any) -> dict:
    return dict(teacher.identity(), weights=digest_weights(teacher.network.state_dict()))
