"""A linear classifier on a frozen video backbone (iBoot, section 4.2)."""

from typing import Any

from mmaction.models.recognizers import Recognizer3D
from mmaction.registry import MODELS
from torch import nn


@MODELS.register_module()
class LinearProbe(Recognizer3D):
    """MMAction2's ``Recognizer3D`` whose backbone is never trained: clips ``(N, V, C, T, H, W)`` to class scores.

    Only the head gets gradients, and nothing of the backbone is kept for a backward pass. The papers do not say what
    batch normalisation does meanwhile, so both ways are here:

    - ``'frozen'``: running statistics are used and stay as they were learned, in training as in the test, so the same
      features are classified in both;
    - ``'adapting'``: batch statistics are used in training and the running averages move, as in PySlowFast, where the
      network stays in training mode and only its last feature is cut off from the gradient.

    Everything else of the backbone (such as dropout) is in evaluation mode either way.

    Example:
        >>> model = dict(type='LinearProbe', bn='frozen', backbone=dict(type='SlowResNet', depth=50),
        ...              cls_head=dict(type='I3DHead', in_channels=2048, num_classes=400, dropout_ratio=0.,
        ...                            average_clips='prob'))

    Args:
        bn: ``'frozen'`` or ``'adapting'``.
        **kwargs: Of ``Recognizer3D``.

    Raises:
        ValueError: unknown ``bn``.
    """

    def __init__(self, *, bn: str = 'frozen', **kwargs: Any) -> None:
        if bn not in ('frozen', 'adapting'):
            raise ValueError(f"LinearProbe: bn must be 'frozen' or 'adapting', got {bn!r}.")
        super().__init__(**kwargs)
        self.bn = bn
        self.backbone.requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> 'LinearProbe':
        """Sets the mode of the head and, if its statistics adapt, of the backbone's batch normalisation."""
        super().train(mode)
        self.backbone.eval()
        if self.bn == 'adapting':
            for module in self.backbone.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.train(mode)
        return self
