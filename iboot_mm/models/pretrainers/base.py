"""What all pre-training methods share: a video encoder that is kept, and a loss."""

from abc import ABCMeta, abstractmethod

from mmaction.structures import ActionDataSample
from torch import Tensor

from ..encoders.video import VideoEncoder


class BasePretrainer(VideoEncoder, metaclass=ABCMeta):
    """Base of the pre-training methods: a method adds its targets and its :meth:`loss`.

    Args:
        backbone: Config of any MMAction2 backbone; what is trained to be kept.
        data_preprocessor: Config of the preprocessor, :class:`~iboot_mm.models.preprocessors.ViewPreprocessor`.
        init_cfg: mmengine's initialisation config.
        normalization: ``mean`` and ``std`` of RGB on the [0, 1] scale that the backbone knows; None for MMAction2's.
        channels_last: Memory layout of the backbone, see :class:`~iboot_mm.models.VideoEncoder`.
        compile: Run the backbone through ``torch.compile``; a dict is its arguments.
    """

    def forward(self, inputs: Tensor, data_samples: list[ActionDataSample] | None = None,
                mode: str = 'tensor') -> dict[str, Tensor] | list[ActionDataSample] | Tensor:
        """As :meth:`VideoEncoder.forward`; mode ``'loss'`` returns the method's losses and figures to log."""
        return self.loss(inputs) if mode == 'loss' else super().forward(inputs, data_samples, mode)

    @abstractmethod
    def loss(self, views: Tensor) -> dict[str, Tensor]:
        """Losses and figures to log for views ``(N, V, C, T, H, W)`` in [0, 1]; keys with ``loss`` are summed."""
