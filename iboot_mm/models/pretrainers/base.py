"""What all pre-training methods share: a backbone that is kept, and the ways to call it."""

from abc import ABCMeta, abstractmethod

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModel
from torch import Tensor

from ..features import frame_features

# MMAction2's ActionDataPreprocessor for RGB, on the [0, 1] scale: weights handed over keep the input that they know.
# The paper's framework, PySlowFast, uses .45 and .225 for every channel.
BACKBONE_MEAN = (123.675 / 255, 116.28 / 255, 103.53 / 255)
BACKBONE_STD = (58.395 / 255, 57.12 / 255, 57.375 / 255)


class BasePretrainer(BaseModel, metaclass=ABCMeta):
    """Base of the pre-training methods: a method adds its targets and its :meth:`loss`.

    Args:
        backbone: Config of any MMAction2 backbone; what is trained to be kept. Its keys in a checkpoint are
            ``backbone.*``, as in any MMAction2 recognizer.
        data_preprocessor: Config of the preprocessor, :class:`~iboot_mm.models.preprocessor.ViewPreprocessor`.
        init_cfg: mmengine's initialisation config.
    """

    def __init__(self, backbone: dict, data_preprocessor: dict | None = None, init_cfg: dict | None = None) -> None:
        preprocessor = {'type': 'ViewPreprocessor', **(data_preprocessor or {})}
        super().__init__(MODELS.build(preprocessor), init_cfg)
        self.backbone = MODELS.build(backbone)
        shape = (3, 1, 1, 1)
        self.register_buffer('backbone_mean', torch.tensor(BACKBONE_MEAN).view(shape), persistent=False)
        self.register_buffer('backbone_std', torch.tensor(BACKBONE_STD).view(shape), persistent=False)

    def normalize(self, clips: Tensor) -> Tensor:
        """Clips ``(N, C, T, H, W)`` from [0, 1] to the backbone's own scale."""
        return (clips - self.backbone_mean) / self.backbone_std

    def extract_feat(self, clips: Tensor) -> Tensor:
        """Features of the backbone per time step.

        Args:
            clips: Clips ``(N, C, T, H, W)`` in [0, 1].

        Returns:
            Features ``(N, T', D)``; T' is up to the backbone.
        """
        return frame_features(self.backbone(self.normalize(clips)))

    def forward(self, inputs: Tensor, data_samples: list[ActionDataSample] | None = None,
                mode: str = 'tensor') -> dict[str, Tensor] | list[ActionDataSample] | Tensor:
        """The three ways in which mmengine calls a model.

        Args:
            inputs: Views ``(N, V, C, T, H, W)`` in [0, 1].
            data_samples: N data samples; needed in mode ``'predict'``.
            mode: ``'loss'`` returns the method's losses and figures to log; ``'predict'`` writes each video's feature
                ``(D,)``, averaged over time and views, float32, into ``data_sample.feature``; ``'tensor'`` returns
                features ``(N, V, T', D)``.

        Raises:
            ValueError: unknown mode.
        """
        if mode == 'loss':
            return self.loss(inputs)
        if mode not in ('predict', 'tensor'):
            raise ValueError(f"mode={mode!r} is unknown: choose 'loss', 'predict' or 'tensor'")
        features = self.extract_feat(inputs.flatten(0, 1)).unflatten(0, inputs.shape[:2])  # (N, V, T', D)
        if mode == 'tensor':
            return features
        for sample, feature in zip(data_samples, features.float().mean(dim=(1, 2)), strict=True):
            sample.feature = feature
        return data_samples

    @abstractmethod
    def loss(self, views: Tensor) -> dict[str, Tensor]:
        """Losses and figures to log for views ``(N, V, C, T, H, W)`` in [0, 1]; keys with ``loss`` are summed."""
