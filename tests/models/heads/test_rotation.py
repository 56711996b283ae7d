"""VIVI's rotation loss."""

import math

import pytest
import torch

from iboot_mm.models.heads import RotationHead


def test_copies_are_quarter_turns():
    head, frames = RotationHead(6), torch.rand(2, 3, 1, 5, 5)
    copies = head.copies(frames)
    assert torch.equal(copies[0], frames)
    for quarters in range(1, 4):  # a turn to the left takes pixel (row, column) to (size - 1 - column, row)
        for row in range(5):
            for column in range(5):
                assert torch.equal(copies[quarters][..., 4 - column, row], copies[quarters - 1][..., row, column])


def test_loss_and_accuracy_are_means_over_frames_and_turns():
    torch.manual_seed(0)
    head, features = RotationHead(6), torch.randn(4, 2, 3, 2, 6)
    found = head(features)
    losses, hits = [], []
    for quarters in range(4):
        for feature in features[quarters].flatten(0, -2):
            scores = head.classify(feature)
            losses.append(-(scores[quarters].exp() / scores.exp().sum()).log())
            hits.append(float(scores[quarters] == scores.max()))
    torch.testing.assert_close(found['loss'], torch.stack(losses).mean())
    assert found['accuracy'] == pytest.approx(sum(hits) / len(hits)) and found['chance'] == .25
    assert 0 < sum(hits) < len(hits)


def test_turns_that_look_alike_cost_log_4():
    assert RotationHead(6)(torch.ones(4, 2, 2, 3, 6))['loss'].item() >= math.log(4) - 1e-6
    assert RotationHead(6)(torch.zeros(4, 2, 2, 3, 6))['accuracy'] == .25


def test_frames_must_be_square():
    with pytest.raises(ValueError, match='RotationHead turns frames by quarters and got 4 x 6 pixels: set a square'):
        RotationHead(6).copies(torch.rand(2, 3, 1, 4, 6))
