"""Many labels per video: loss and scores."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

CLASSES, VIDEOS = 4, 3


@pytest.fixture
def head():
    torch.manual_seed(0)
    return MODELS.build(dict(type='MultiLabelHead', in_channels=8, num_classes=CLASSES, dropout_ratio=0., init_std=1.))


def samples(count=VIDEOS):
    labels = (torch.rand(count, CLASSES, generator=torch.Generator().manual_seed(1)) < .5).float()
    return [ActionDataSample().set_gt_label(row) for row in labels]


@pytest.mark.parametrize('count', [1, 3])
def test_the_loss_is_the_binary_cross_entropy_of_every_label(head, count):
    logits = torch.randn(count, CLASSES)
    labels = torch.stack([sample.gt_label for sample in samples(count)])
    p = logits.sigmoid()
    expected = -(labels * p.log() + (1 - labels) * (1 - p).log()).mean()
    assert head.loss_by_feat(logits, samples(count))['loss_cls'].item() == pytest.approx(expected.item(), abs=1e-6)


def test_a_test_takes_the_largest_score_of_all_views(head):
    maps = torch.randn(VIDEOS * 6, 8, 2, 3, 3)
    scores = torch.stack([sample.pred_score for sample in head.predict(maps, samples())])
    logits = head(maps).reshape(VIDEOS, 6, CLASSES)
    assert torch.equal(scores, torch.stack([video.max(0).values for video in logits.sigmoid()]))
    assert not torch.allclose(scores, logits.sigmoid().mean(1), atol=1e-2)
