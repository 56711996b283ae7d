import pytest
import torch
from mmaction.models.data_preprocessors import ActionDataPreprocessor
from mmaction.models.heads.base import BaseHead
from mmaction.models.heads.i3d_head import I3DHead
from mmaction.structures import ActionDataSample


def samples(labels: list) -> list[ActionDataSample]:
    return [ActionDataSample().set_gt_label(label) for label in labels]


@pytest.mark.parametrize('smooth', [0., .1])
@pytest.mark.parametrize('labels', [[1, 4, 0, 2], [3], [torch.tensor([.2, .8, 0, 0, 0, 0, 0.])],
                                    [torch.eye(7)[2], torch.eye(7)[5]]])
def test_losses_and_hits_are_those_of_mmaction(labels: list, smooth: float) -> None:
    head = I3DHead(num_classes=7, in_channels=4, topk=(1, 3), label_smooth_eps=smooth)
    scores = torch.randn(len(labels), 7, generator=torch.Generator().manual_seed(0))
    ours = head.loss_by_feat(scores, samples(labels))
    theirs = BaseHead.loss_by_feat.__wrapped__(head, scores, samples(labels))
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert float(ours[name]) == pytest.approx(float(value), abs=1e-6), name


def test_bfloat16_scores_are_counted() -> None:
    head = I3DHead(num_classes=7, in_channels=4)
    scores = torch.eye(7, dtype=torch.bfloat16)[:3]
    assert float(head.loss_by_feat(scores, samples([0, 1, 6]))['top1_acc']) == pytest.approx(2 / 3)


def test_stock_preprocessor_copies_without_waiting() -> None:
    assert ActionDataPreprocessor(mean=[0.], std=[1.])._non_blocking
