"""benchmarks/objectives.py: who is held out, what a clip is, and each objective's optimum."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ..scripts import TOOLS


@pytest.fixture(scope='module')
def objectives():
    import importlib.util
    spec = importlib.util.spec_from_file_location('objectives', TOOLS.parent / 'benchmarks' / 'objectives.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_whole_revolutions_are_held_out(objectives):
    revolutions, labels = ['a0', 'a0', 'a1', 'b0', 'c0', 'c1', 'c2', 'c2'], torch.tensor([0, 0, 0, 1, 2, 2, 2, 2])
    train, query = objectives.held_out(revolutions, labels)
    assert train.tolist() == [0, 1, 3, 4, 5] and query.tolist() == [2, 6, 7]


def test_clips(objectives):
    video = torch.arange(32, dtype=torch.uint8).view(32, 1, 1, 1).expand(32, 3, 76, 76) * 8
    middle = objectives.clip(video, None)
    assert middle.shape == (3, 2, 48, 48)
    torch.testing.assert_close(middle[:, :, 0, 0] * 255, torch.tensor([12., 20.]).mul(8).expand(3, 2))
    one, other = (objectives.clip(video, np.random.default_rng(seed)) for seed in (0, 1))
    assert one.shape == middle.shape and not torch.equal(one, other) and 0 <= one.min() and one.max() <= 1


@pytest.mark.parametrize('how', ['standardize', 'whiten'])
def test_normalized_targets_are_centred_and_of_one_scale(objectives, how):
    features = torch.rand(400, 4, 8, generator=torch.Generator().manual_seed(0)) * torch.arange(1., 9.) + 3
    found = objectives.normalized(features, how)
    means = found.mean(1) if how == 'whiten' else found.flatten(0, 1)
    torch.testing.assert_close(means.mean(0), torch.zeros(8), atol=1e-3, rtol=0)
    torch.testing.assert_close(means.std(0), torch.ones(8), atol=.02, rtol=0)
    if how == 'whiten':
        torch.testing.assert_close(means.T @ means / 400, torch.eye(8), atol=1e-3, rtol=0)


@pytest.mark.parametrize('objective', ['cosine', 'contrast', 'relations'])
def test_the_targets_themselves_are_better_than_another_video_s(objectives, objective):
    targets = torch.randn(6, 16, generator=torch.Generator().manual_seed(0))
    right, wrong = (objectives.loss_of(objective, part.expand(2, 6, 16), targets)
                    for part in (targets, targets.roll(1, 0)))
    assert right < wrong
    if objective == 'relations':  # the entropy of the relations, which nothing is below
        relations = F.cosine_similarity(targets[:, None], targets[None], dim=2).div(.1).softmax(1)
        torch.testing.assert_close(right, torch.special.entr(relations).sum(1).mean())


def test_colours_are_counted_wherever_they_are(objectives):
    video = torch.zeros(32, 3, 76, 76, dtype=torch.uint8)
    video[:, 0, 10:20, 10:20] = 255  # red
    moved = video.roll((20, 7), (2, 3))
    found = objectives.colours_of(torch.stack([video, moved]))
    torch.testing.assert_close(found[0], found[1])
    assert found[0, 7 * 64].item() == 10 and found[0, 0].item() == pytest.approx((68 * 68 - 100) ** .5)
