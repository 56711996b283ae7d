import numpy as np
import pytest
import torch
from torch import nn

from iboot_mm.models.modules.momentum import Embedder, MomentumCopy, annealed_momentum


@pytest.mark.parametrize('base', [.996, .994])
def test_annealing_matches_the_peer(shared, base):
    golden = np.load(shared / 'golden' / 'momentum_anneal.npz')
    epochs = golden['epoch']
    ours = [annealed_momentum(base, epoch / 200) for epoch in epochs]
    np.testing.assert_allclose(ours, golden[f'm_{base}'], rtol=1e-6)


def test_annealing_runs_from_base_to_one():
    assert annealed_momentum(.9, 0) == pytest.approx(.9)
    assert annealed_momentum(.9, .5) == pytest.approx(.95)
    assert annealed_momentum(.9, 1) == pytest.approx(1)


@pytest.mark.parametrize('base', [2, -.1])
def test_a_copy_that_would_run_away_is_refused(base):
    with pytest.raises(ValueError, match=f'model.momentum.base must be in \\[0, 1\\], got {base}'):
        MomentumCopy(nn.Linear(2, 2), base=base)


@pytest.mark.parametrize('schedule', ['linear', 'Fixed', '', None])
def test_an_unknown_schedule_is_refused(schedule):
    with pytest.raises(ValueError, match=f'model.momentum.schedule is cosine or fixed, got {schedule!r}'):
        MomentumCopy(nn.Linear(2, 2), schedule=schedule)


@pytest.mark.parametrize('schedule, distances', [('fixed', [.9, .81, .729]), ('cosine', [.9, .9 * .95, .9 * .95])])
def test_a_fixed_momentum_does_not_rise(schedule, distances):
    """The online network stands still 1 away: the copy's distance is the product of the momenta."""
    online = nn.Linear(3, 2)
    copy = MomentumCopy(online, base=.9, schedule=schedule)
    with torch.no_grad():
        online.weight.add_(1)
    for progress, distance in zip((0, .5, 1), distances):
        copy.update(online, progress)
        torch.testing.assert_close(online.weight - copy.network.weight, torch.full((2, 3), distance))


def test_parameters_follow_and_buffers_do_not():
    online = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    copy = MomentumCopy(online, base=.75)
    start = [p.clone() for p in copy.network.parameters()]
    with torch.no_grad():
        for p in online.parameters():
            p.add_(1)
        online[1].running_mean.fill_(5)
    copy.update(online, progress=0)
    for before, now in zip(start, copy.network.parameters()):
        torch.testing.assert_close(now, before + .25)
        assert not now.requires_grad
    assert copy.network[1].running_mean.eq(0).all()
    assert copy.steps.item() == 1
    copy.copy_from(online)
    assert copy.network[1].running_mean.eq(5).all()


def test_a_copy_that_nobody_updates_is_refused():
    copy = MomentumCopy(nn.Linear(2, 2))
    with pytest.raises(RuntimeError, match='MomentumUpdateHook'):
        copy(torch.zeros(1, 2))
    copy.attached = True
    assert not copy(torch.zeros(1, 2)).requires_grad


def test_embedder_projects_the_average_over_space_and_time():
    projector = nn.Linear(3, 2)
    embedder = Embedder(nn.Identity(), projector, feature_dim=3)
    clips = torch.randn(4, 3, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(embedder(clips), projector(clips.mean(dim=(2, 3, 4))))
    assert {key.split('.')[0] for key in embedder.state_dict()} == {'projector'}
    with pytest.raises(ValueError, match='set feature_dim=3'):
        Embedder(nn.Identity(), projector, feature_dim=4)(clips)
