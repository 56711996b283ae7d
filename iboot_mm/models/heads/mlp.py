"""Classification heads."""

from typing import Any

from mmaction.models.heads import I3DHead
from mmaction.registry import MODELS
from mmengine.model.weight_init import normal_init
from torch import Tensor, nn

from ...ranges import at_least


@MODELS.register_module()
class MLPHead(I3DHead):
    """MMAction2's ``I3DHead`` with two linear layers and a ReLU between them (AdViSe, section 3.1).

    The text has lost the hidden width; 2048 makes up the difference of the paper's 4.0 M trainable parameters (Table 6)
    to the 1.84 M of the temporal module, and is the public code's default.

    Args:
        num_classes: Number of classes.
        in_channels: Channels of the backbone's map.
        hidden: Width of the hidden layer.
        batch_norm: BN between the first layer, then without a bias, and the ReLU: the public code's ``BN_MLP``, of
            which the paper says nothing.
        **kwargs: Of ``I3DHead``, such as ``dropout_ratio``, ``label_smooth_eps`` and ``average_clips``.

    Raises:
        ValueError: the backbone's map has other channels.
    """

    def __init__(self, num_classes: int, in_channels: int, hidden: int = 2048, batch_norm: bool = False,
                 **kwargs: Any) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        at_least(1, 'MLPHead', hidden=hidden)
        norm = [nn.BatchNorm1d(hidden)] if batch_norm else []
        self.fc_cls = nn.Sequential(nn.Linear(in_channels, hidden, bias=not batch_norm), *norm, nn.ReLU(inplace=True),
                                    nn.Linear(hidden, num_classes))

    def init_weights(self) -> None:
        """The last layer starts as MMAction2's heads do, the hidden one as torch's linear layers."""
        normal_init(self.fc_cls[-1], std=self.init_std)

    def forward(self, x: Tensor, **kwargs: Any) -> Tensor:
        """A map ``(N, C, T, h, w)`` to class scores ``(N, num_classes)``."""
        if x.shape[1] != self.in_channels:
            raise ValueError(f'MLPHead: the backbone gives {x.shape[1]} channels, but the config says '
                             f'cls_head.in_channels={self.in_channels}: set it to {x.shape[1]}')
        return super().forward(x, **kwargs)
