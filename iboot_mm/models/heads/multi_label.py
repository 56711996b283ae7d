"""Many labels per video: Charades (large-scale study, B.4)."""

import torch
from mmaction.models.heads import I3DHead
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor
from torch.nn import functional as F


@MODELS.register_module()
class MultiLabelHead(I3DHead):
    """MMAction2's ``I3DHead`` with a sigmoid per class; in the test the largest score of all views counts (B.4).

    Labels are ``gt_label`` of 0 and 1, (num_classes,); the loss is the binary cross-entropy, averaged over videos and
    classes. Its arguments are ``I3DHead``'s: ``num_classes`` labels, ``in_channels`` of the map, and others.

    Example:
        >>> cls_head = dict(type='MultiLabelHead', in_channels=2048, num_classes=157, dropout_ratio=.5)
    """

    def loss_by_feat(self, cls_scores: Tensor, data_samples: list[ActionDataSample]) -> dict[str, Tensor]:
        """``loss_cls`` of logits (N, num_classes)."""
        labels = torch.stack([sample.gt_label for sample in data_samples]).to(cls_scores.device)
        return dict(loss_cls=F.binary_cross_entropy_with_logits(cls_scores.float(), labels.float()))

    def average_clip(self, cls_scores: Tensor, num_segs: int = 1) -> Tensor:
        """Logits (N V, num_classes) to scores (N, num_classes) in [0, 1]: the maximum over the V views."""
        return cls_scores.sigmoid().unflatten(0, (-1, num_segs)).amax(1)
