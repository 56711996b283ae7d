"""VIVI's order of shots."""

import math

import pytest
import torch

from iboot_mm.models.heads import ShotOrderHead


@pytest.mark.parametrize('num_shots', [2, 4])
def test_every_video_in_both_orders(num_shots):
    torch.manual_seed(0)
    head, shots = ShotOrderHead(6, num_shots), torch.randn(5, num_shots, 6)
    found = head(shots)
    first, _, last = head.classify
    assert first.weight.shape == (512, 6 * num_shots)
    losses, hits = [], []
    for video in shots:
        for label, order in enumerate([tuple(video), tuple(video)[::-1]]):
            scores = last.weight @ (first.weight @ torch.cat(order) + first.bias).relu() + last.bias
            losses.append(-(scores[label].exp() / scores.exp().sum()).log())
            hits.append(float(scores[label] == scores.max()))
    torch.testing.assert_close(found['loss'], torch.stack(losses).mean())
    assert found['accuracy'] == pytest.approx(sum(hits) / 10) and found['chance'] == .5


def test_shots_that_are_alike_have_no_order():
    found = ShotOrderHead(6, num_shots=2)(torch.randn(5, 1, 6).expand(5, 2, 6))
    assert found['accuracy'] == .5 and found['loss'].item() >= math.log(2) - 1e-6


def test_a_single_shot_has_no_order():
    with pytest.raises(ValueError, match='ShotOrderHead tells the order of shots, and num_shots=1: set num_shots to'):
        ShotOrderHead(6, num_shots=1)
