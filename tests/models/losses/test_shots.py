"""VIVI's losses against loops over frames and shots; several processes: pretrainers/test_vivi_distributed.py."""

import math

import pytest
import torch
import torch.nn.functional as F

from iboot_mm.models.losses import shots as shot_losses
from iboot_mm.models.losses.shots import semi_hard_triplets, shot_info_nce


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def triplets_by_hand(keys, shots, margin, joined=1):
    """Losses and fulfilled shares of ``shots`` among unit vectors ``(M, L, D)``; both ``(S, L, L - 1)``."""
    losses, shares = [], []
    for m in shots:
        for anchor in range(keys.shape[1]):
            negatives = [(keys[m, anchor] - keys[n, k]).square().sum()
                         for n in range(len(keys)) if n // joined != m // joined for k in range(keys.shape[1])]
            for other in range(keys.shape[1]):
                if other != anchor:
                    positive = (keys[m, anchor] - keys[m, other]).square().sum()
                    farther = [d for d in negatives if d > positive]
                    negative = min(farther) if farther else max(negatives)
                    losses.append(torch.clamp(margin + positive - negative, min=0))
                    shares.append(len(farther) / len(negatives))
    shape = (len(shots), keys.shape[1], keys.shape[1] - 1)
    return torch.stack(losses).view(shape), torch.tensor(shares).view(shape)


@pytest.mark.parametrize('together', [2 ** 24, 1])
def test_shots_of_one_video_may_be_no_negatives(monkeypatch, together):
    """6 shots of 3 videos, the last two of which are this rank's."""
    monkeypatch.setattr(shot_losses, 'DISTANCES_TOGETHER', together)
    keys = F.normalize(draw(6, 4, 3), dim=-1)
    losses, shares = semi_hard_triplets(keys[2:], keys, 2, .5, joined=2)
    expected = triplets_by_hand(keys, range(2, 6), .5, joined=2)
    torch.testing.assert_close(losses, expected[0])
    torch.testing.assert_close(shares.float(), expected[1])
    assert not torch.allclose(losses, triplets_by_hand(keys, range(2, 6), .5)[0])
    with pytest.raises(ValueError, match='shots'):
        semi_hard_triplets(keys[:2], keys[:2], 0, .5, joined=2)


@pytest.mark.parametrize('together', [2 ** 24, 200, 1])  # all shots, 2 (each has 4 x 20 distances), 1
@pytest.mark.parametrize('first, shots', [(0, 5), (2, 3)])
def test_triplets_equal_loops(monkeypatch, together, first, shots):
    monkeypatch.setattr(shot_losses, 'DISTANCES_TOGETHER', together)
    raw = draw(5, 4, 3)
    raw[2:4] += 3 * draw(2, 1, 3, seed=1)  # shots with much in common beside shots with little
    keys = F.normalize(raw.requires_grad_(), dim=-1)
    found = semi_hard_triplets(keys[first:first + shots], keys, first, .5)
    expected = triplets_by_hand(keys, range(first, first + shots), .5)
    torch.testing.assert_close(found, expected)
    assert found[0].eq(0).any() and found[0].gt(.5).any(), 'both kinds of negatives and met margins are to be there'
    gradients = [torch.autograd.grad(part[0].mean(), raw, retain_graph=True)[0] for part in (found, expected)]
    torch.testing.assert_close(*gradients)


def test_memory_grows_with_the_frames_and_not_with_their_square(monkeypatch):
    monkeypatch.setattr(shot_losses, 'DISTANCES_TOGETHER', 2 ** 13)
    kept = {}  # numbers in each piece of memory that the backward pass needs
    for shots in (32, 64):
        keys = F.normalize(draw(shots, 8, 3), dim=-1).requires_grad_()

        def note(tensor, sizes=kept.setdefault(shots, {})):
            sizes[tensor.untyped_storage().data_ptr()] = tensor
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            semi_hard_triplets(keys, keys, 0, .5)
    small, large = (sum(tensor.numel() for tensor in sizes.values()) for sizes in kept.values())
    assert large < 2.5 * small


def test_no_farther_negative_means_the_farthest():
    angles = torch.tensor([[0., math.pi], [.1, .2]], dtype=torch.float64)  # the first shot's frames are opposite
    keys = torch.stack([angles.cos(), angles.sin()], dim=-1)
    losses, shares = semi_hard_triplets(keys[:1], keys, 0, .5)
    farthest = [2 - 2 * math.cos(.2), 2 - 2 * math.cos(math.pi - .1)]
    torch.testing.assert_close(losses.flatten(), 4.5 - torch.tensor(farthest, dtype=torch.float64))
    assert shares.eq(0).all()


def test_told_apart_triplets_cost_nothing():
    keys = torch.eye(3).unsqueeze(1).expand(3, 4, 3)  # distances 0 within shots and 2 between them
    losses, shares = semi_hard_triplets(keys, keys, 0, .5)
    assert losses.eq(0).all() and shares.eq(1).all()


def test_gradient_of_triplets():
    def mean(raw, margin=.5):
        keys = F.normalize(raw, dim=-1)
        return semi_hard_triplets(keys[1:3], keys, 1, margin)[0].mean()

    assert torch.autograd.gradcheck(mean, draw(4, 3, 5, seed=1).requires_grad_())


def test_collapsed_frames_give_the_margin_and_a_finite_gradient():
    raw = torch.ones(3, 2, 4, requires_grad=True)
    keys = F.normalize(raw, dim=-1)
    losses, shares = semi_hard_triplets(keys, keys, 0, .5)
    losses.mean().backward()
    torch.testing.assert_close(losses, torch.full_like(losses, .5), rtol=0, atol=1e-6)
    assert raw.grad.isfinite().all() and shares.max() < 1


def info_nce_by_hand(predictions, keys, first):
    """Equation 2 and footnote 3, for predictions ``(N, K - 1, D)`` of shots 2 to K."""
    losses = torch.zeros(predictions.shape[:2], dtype=keys.dtype)
    hits = torch.zeros(predictions.shape[:2], dtype=torch.bool)
    for n in range(len(predictions)):
        for q in range(predictions.shape[1]):
            positive = predictions[n, q] @ keys[first + n, q + 1]
            negatives = [predictions[n, q] @ keys[j, k] for j in range(len(keys)) if j != first + n
                         for k in range(keys.shape[1])]
            total = positive.exp() + sum(negative.exp() for negative in negatives)
            losses[n, q] = -(positive.exp() / total).log()
            hits[n, q] = positive > max(negatives)
    return losses, hits


@pytest.mark.parametrize('num_shots', [2, 4])
def test_info_nce_equals_loops(num_shots):
    predictions, keys = draw(3, num_shots - 1, 6), draw(5, num_shots, 6, seed=1)
    keys[1:3, 1:] += predictions[:2]  # hits among misses
    leaves = predictions.requires_grad_(), keys.requires_grad_()
    found, expected = shot_info_nce(predictions, keys, 1), info_nce_by_hand(predictions, keys, 1)
    torch.testing.assert_close(found, expected)
    assert found[1].any() and not found[1].all()
    torch.testing.assert_close(*(torch.autograd.grad(part[0].mean(), leaves) for part in (found, expected)))


def test_gradient_of_info_nce():
    leaves = draw(2, 2, 3).requires_grad_(), draw(3, 3, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda predictions, keys: shot_info_nce(predictions, keys, 1)[0].mean(), leaves)


def test_equal_shots_cost_the_logarithm_of_their_number():
    losses, hits = shot_info_nce(torch.ones(4, 1, 3), torch.ones(4, 2, 3), 0)
    torch.testing.assert_close(losses, torch.full((4, 1), math.log(1 + 3 * 2)))
    assert not hits.any()


def test_triplets_warn_of_nothing(recwarn):
    """Of a layout that costs a copy, torch warns once a process, unless told always to."""
    torch.set_warn_always(True)
    try:
        semi_hard_triplets(F.normalize(draw(3, 2, 4), dim=-1), F.normalize(draw(8, 2, 4), dim=-1), 2, .5)
    finally:
        torch.set_warn_always(False)
    assert not recwarn.list
