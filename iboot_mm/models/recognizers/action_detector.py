"""What each person in a clip does: SlowFast's detector (section 5), as the large-scale study uses it (B.3)."""

import math

from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.logging import print_log
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor

from ..modules.dilation import dilate_res5


@MODELS.register_module()
class ActionDetector(BaseModel):
    """Actions in given boxes, from any video backbone; nothing of mmdet, and of mmcv no compiled operator.

    Faster R-CNN's second stage: persons are found beforehand, by another network (``KeyFrames.proposal_file``). res5
    works at stride 1 with dilation 2 (:func:`~iboot_mm.models.modules.dilation.dilate_res5`). Names of weights are
    ``backbone.*`` and ``cls_head.*``, as in MMAction2's recognizers.

    Example:
        >>> model = dict(type='ActionDetector', backbone=dict(type='SlowResNet', depth=50),
        ...              cls_head=dict(type='BoxActionHead', in_channels=2048, num_classes=80))

    Args:
        backbone: Config of a backbone from clips (N, 3, T, H, W) to a map (N, D, T', h, w).
        cls_head: Config of the head, :class:`~iboot_mm.models.heads.BoxActionHead`.
        data_preprocessor: Config of MMAction2's ``ActionDataPreprocessor``, which fills smaller pictures of a batch up
            at the right and below.
    """

    def __init__(self, backbone: dict, cls_head: dict, data_preprocessor: dict | None = None) -> None:
        super().__init__(data_preprocessor or dict(type='ActionDataPreprocessor', format_shape='NCTHW'))
        self.backbone = MODELS.build(backbone)
        self.cls_head = MODELS.build(cls_head)
        if not dilate_res5(self.backbone):
            print_log(f'ActionDetector: {type(self.backbone).__name__} has no layer4, so its map stays as coarse as it '
                      'is.', 'current')

    def extract_feat(self, inputs: Tensor) -> Tensor:
        """Clips (N, 1, 3, T, H, W) to maps (N, D, T', h, w).

        Raises:
            ValueError: several views of a video.
        """
        if inputs.shape[1] != 1:
            raise ValueError(f'ActionDetector: boxes are those of one view, got {inputs.shape[1]} of each video.')
        return self.backbone(inputs[:, 0])

    def forward(self, inputs: Tensor, data_samples: list[ActionDataSample] | None = None,
                mode: str = 'tensor') -> Tensor | dict[str, Tensor] | list[ActionDataSample]:
        """Losses, samples with ``pred_instances``, or the map.

        Args:
            inputs: (N, 1, 3, T, H, W), normalised.
            data_samples: Of :class:`~iboot_mm.datasets.transforms.PackKeyFrame`.
            mode: ``'loss'`` (from ``gt_instances``), ``'predict'`` (of ``proposals``) or ``'tensor'``. Predicted are
                ``bboxes`` (B, 4), the proposals' own, and ``scores`` (B, num_classes), each class for itself in [0, 1].
        """
        maps = self.extract_feat(inputs)
        if mode == 'tensor':
            return maps
        given = [sample.gt_instances if mode == 'loss' else sample.proposals for sample in data_samples]
        boxes = [to_pixels(part.bboxes, sample.img_shape) for part, sample in zip(given, data_samples)]
        logits = self.cls_head(maps, boxes, map_stride(inputs, maps))
        if mode == 'loss':
            return self.cls_head.loss(logits, given[0].cat(given).labels)
        for sample, part, scores in zip(data_samples, given, logits.sigmoid().split([len(part) for part in given])):
            sample.pred_instances = InstanceData(bboxes=part.bboxes, scores=scores)
        return data_samples


def to_pixels(boxes: Tensor, shape: tuple[int, int]) -> Tensor:
    """Boxes (B, 4) in shares of a picture of ``shape`` (H, W)."""
    height, width = shape
    scale = boxes.new_full((4, ), height)  # filled there: a tensor of a list would be copied, and waited for
    scale[::2] = width
    return boxes * scale


def map_stride(clips: Tensor, maps: Tensor) -> int:
    """Pixels from cell to cell of maps (..., h, w) of clips (..., H, W).

    A power of two if that fits, as in all ResNets. The quotient alone would not do, since a picture that the stride
    does not divide gets a cell more.
    """
    sides = list(zip(clips.shape[-2:], maps.shape[-2:]))
    quotient = max(pixels / cells for pixels, cells in sides)
    power = 2**round(math.log2(quotient))
    return power if all(math.ceil(pixels / power) == cells for pixels, cells in sides) else round(quotient)
