"""VIVI's exemplar loss; the triplets themselves: tests/models/losses/test_shots.py."""

import pytest
import torch
import torch.nn.functional as F

from iboot_mm.models.heads import ExemplarHead

from ..losses.test_shots import triplets_by_hand


def test_shots_of_all_videos_are_classes():
    torch.manual_seed(0)
    head, features = ExemplarHead(6, embed_dim=5, margin=.3), torch.randn(1, 2, 3, 4, 6)
    found = head(features)
    shots = F.normalize(features[0].flatten(0, 1) @ head.embed.weight.T + head.embed.bias, dim=-1)
    losses, shares = triplets_by_hand(shots, range(6), .3)
    torch.testing.assert_close(found['loss'], losses.mean())
    torch.testing.assert_close(found['accuracy'], shares.mean())
    leaves = list(head.parameters())
    torch.testing.assert_close(*(torch.autograd.grad(loss, leaves) for loss in (found['loss'], losses.mean())))
    assert found['chance'] == .5


def test_shots_of_the_same_video_may_be_spared():
    torch.manual_seed(0)
    head, features = ExemplarHead(6, embed_dim=5, margin=.3, same_video=False), torch.randn(1, 2, 3, 4, 6)
    shots = F.normalize(features[0].flatten(0, 1) @ head.embed.weight.T + head.embed.bias, dim=-1)
    losses, shares = triplets_by_hand(shots, range(6), .3, joined=3)
    found = head(features)
    torch.testing.assert_close(found['loss'], losses.mean())
    torch.testing.assert_close(found['accuracy'], shares.mean())
    with pytest.raises(ValueError, match='ExemplarHead compares shots of different videos, and the batch'):
        head(features[:, :1])


def test_defaults_are_those_of_the_exemplar_baseline():
    head = ExemplarHead(6)
    assert (head.embed.out_features, head.margin) == (1000, .5)
    frames = torch.rand(5, 3, 1, 4, 6)
    assert torch.equal(head.copies(frames), frames[None])


def test_nothing_to_compare():
    head = ExemplarHead(6)
    with pytest.raises(ValueError, match='ExemplarHead compares frames of a shot, and got one: set shot_len'):
        head(torch.rand(1, 4, 2, 1, 6))
    with pytest.raises(ValueError, match='ExemplarHead compares shots, and the batch of all processes has one: set'):
        head(torch.rand(1, 1, 1, 4, 6))
