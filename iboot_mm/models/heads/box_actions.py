"""What the persons in boxes do: the head of an action detector."""

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import roi_align

from ...ranges import at_least


@MODELS.register_module()
class BoxActionHead(BaseModule):
    """RoIAlign frame by frame, averaged over time, max-pooled over space, and a sigmoid per class (study, B.3).

    RoIAlign is linear in the map, so the map is averaged over time before it, which costs T times less. It computes in
    single precision under autocast, too. Where the study is silent these are PySlowFast's: 7 x 7 cells, aligned
    corners, dropout, binary cross-entropy averaged over boxes and classes.

    Example:
        >>> cls_head = dict(type='BoxActionHead', in_channels=2048, num_classes=80)

    Args:
        in_channels: Of the map.
        num_classes: Actions.
        roi_size: Cells of a box along height and width.
        dropout_ratio: Of the pooled features.
        init_std: Of the linear layer's normal initialisation.
    """

    def __init__(self, in_channels: int, num_classes: int, roi_size: int = 7, dropout_ratio: float = .5,
                 init_std: float = .01) -> None:
        super().__init__(dict(type='Normal', layer='Linear', std=init_std))
        at_least(1, 'BoxActionHead', roi_size=roi_size)
        self.in_channels, self.num_classes, self.roi_size = in_channels, num_classes, roi_size
        self.dropout = nn.Dropout(dropout_ratio)
        self.fc_cls = nn.Linear(in_channels, num_classes)

    def forward(self, maps: Tensor, boxes: list[Tensor], stride: int) -> Tensor:
        """Logits (B, num_classes) of all boxes, video by video.

        Args:
            maps: (N, D, T, h, w).
            boxes: For each of the N videos (B_n, 4) as x1, y1, x2, y2 in pixels of the pictures that the maps are of.
            stride: Pixels from cell to cell of the maps.
        """
        pooled = maps.mean(2).float()  # (N, D, h, w)
        with torch.autocast(maps.device.type, enabled=False):
            cells = roi_align(pooled, [part.to(pooled) for part in boxes], self.roi_size, 1 / stride, aligned=True)
        return self.fc_cls(self.dropout(cells.amax((2, 3))))

    def loss(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """``loss_cls``; 0 for a batch without a box.

        Args:
            logits: (B, num_classes).
            labels: 0 or 1, (B, num_classes).
        """
        total = F.binary_cross_entropy_with_logits(logits.float(), labels.float(), reduction='sum')
        return dict(loss_cls=total / max(logits.numel(), 1))
