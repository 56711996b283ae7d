import pytest
import torch

from iboot_mm.models.modules.target_norm import TargetNorm
from tests.distributed import run_in_processes

GENERATOR = torch.Generator().manual_seed(0)
SAMPLES = torch.randn(6, 10, 5, generator=GENERATOR) * torch.tensor([1., 2, 3, 4, 5]) + torch.tensor([9., 0, 1, 2, -3])


def test_none_is_the_identity_and_keeps_no_state():
    norm = TargetNorm(5, 'none')
    assert norm(SAMPLES) is SAMPLES and norm.inverse(SAMPLES) is SAMPLES
    assert not norm.state_dict()


def test_first_steps_average_all_samples_uniformly():
    norm = TargetNorm(5, 'standardize', eps=0)
    for batch in SAMPLES:
        normalised = norm(batch)
    everything = SAMPLES.flatten(0, 1)
    torch.testing.assert_close(norm.mean, everything.mean(0))
    torch.testing.assert_close(norm.var, everything.var(0, unbiased=False))
    torch.testing.assert_close(normalised, (SAMPLES[-1] - everything.mean(0)) / everything.std(0, unbiased=False))


def test_later_steps_decay():
    norm = TargetNorm(5, 'center', decay=.5)
    mean = square = 0
    for step, batch in enumerate(SAMPLES, start=1):
        norm(batch)
        rate = max(1 / step, .5)
        mean = (1 - rate) * mean + rate * batch.mean(0)
        square = (1 - rate) * square + rate * batch.square().mean(0)
    torch.testing.assert_close(norm.mean, mean)
    torch.testing.assert_close(norm.var, square - mean.square())


@pytest.mark.parametrize('mode', ['center', 'standardize'])
def test_evaluation_leaves_statistics_alone_and_inverse_undoes(mode):
    norm = TargetNorm(5, mode)
    norm(SAMPLES[0])
    norm.eval()
    before = {key: value.clone() for key, value in norm.state_dict().items()}
    torch.testing.assert_close(norm.inverse(norm(SAMPLES[1])), SAMPLES[1])
    assert all(before[key].equal(value) for key, value in norm.state_dict().items())


def test_dead_channels_stay_at_zero():
    norm = TargetNorm(5, 'standardize')
    dead = SAMPLES[0].clone()
    dead[:, 2] = 0
    assert norm(dead)[:, 2].eq(0).all() and norm(dead).isfinite().all()


def test_shared_mean_direction_is_removed():
    from iboot_mm.models.losses.views import spread
    positive = SAMPLES.flatten(0, 1).relu() + 5
    norm = TargetNorm(5, 'center')
    assert spread(positive) < .4 < .9 < spread(norm(positive))


def test_unknown_mode_is_named():
    with pytest.raises(ValueError, match="target_norm='whiten'.*none, center, standardize"):
        TargetNorm(5, 'whiten')


def _check_share(rank, world_size, expected):
    norm = TargetNorm(5, 'standardize')
    for batch in SAMPLES:
        norm(batch[rank::world_size])
    for key, value in expected.items():
        torch.testing.assert_close(norm.state_dict()[key], value, rtol=1e-5, atol=1e-5)


def test_statistics_are_those_of_all_processes():
    alone = TargetNorm(5, 'standardize')
    for batch in SAMPLES:
        alone(batch)
    run_in_processes(_check_share, 2, dict(alone.state_dict()))
