"""The head of AdViSe: two layers, its size, and a width that must fit."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample


def test_trainable_parameters_of_table_6():
    head = MODELS.build(dict(type='MLPHead', num_classes=4, in_channels=1024))
    sizes = [parameter.numel() for parameter in head.parameters()]
    assert sizes == [1024 * 2048, 2048, 2048 * 4, 4]
    assert sum(sizes) / 1e6 + 1.84 == pytest.approx(4., abs=.06)  # "4.0 M"
    assert sum(sizes) / 1e6 + 42.21 == pytest.approx(44.3, abs=.06)


def test_scores_are_those_of_the_pooled_map():
    head = MODELS.build(dict(type='MLPHead', num_classes=4, in_channels=8, hidden=16, dropout_ratio=0.))
    head.init_weights()
    maps = torch.randn(3, 8, 2, 4, 4)
    first, _, last = head.fc_cls
    expected = last(first(maps.mean(dim=(2, 3, 4))).relu())
    torch.testing.assert_close(head(maps), expected)
    assert last.weight.std() < .02 and first.weight.abs().max() > .1


def test_batch_norm_of_the_public_code():
    head = MODELS.build(dict(type='MLPHead', num_classes=4, in_channels=8, hidden=16, dropout_ratio=0.,
                             batch_norm=True)).train()
    first, norm, _, last = head.fc_cls
    torch.nn.init.uniform_(norm.weight)
    torch.nn.init.uniform_(norm.bias)
    maps = torch.randn(5, 8, 2, 4, 4)
    hidden = maps.mean(dim=(2, 3, 4)) @ first.weight.T
    hidden = (hidden - hidden.mean(0)) / (hidden.var(0, correction=0) + norm.eps).sqrt() * norm.weight + norm.bias
    torch.testing.assert_close(head(maps), hidden.relu() @ last.weight.T + last.bias)


def test_label_smoothing_spreads_its_share_evenly():
    head = MODELS.build(dict(type='MLPHead', num_classes=4, in_channels=8, label_smooth_eps=.05))
    scores = torch.randn(5, 4)
    samples = [ActionDataSample(gt_label=torch.tensor([label])) for label in (0, 1, 2, 3, 0)]
    log_probs = scores.log_softmax(1)
    own = log_probs[range(5), [0, 1, 2, 3, 0]]
    expected = -(.95 * own + .05 * log_probs.mean(1)).mean()
    torch.testing.assert_close(head.loss_by_feat(scores, samples)['loss_cls'], expected)


def test_another_width_is_named():
    head = MODELS.build(dict(type='MLPHead', num_classes=4, in_channels=8))
    with pytest.raises(ValueError, match='backbone gives 16 channels, but the config says cls_head.in_channels=8'):
        head(torch.randn(1, 16, 2, 4, 4))
