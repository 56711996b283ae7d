"""The warm-up that ends on the cosine: the peer's own values, the closed form, groups, resuming, scaling."""

import math

import numpy as np
import pytest
import torch
from mmaction.registry import PARAM_SCHEDULERS
from mmengine.config import Config
from mmengine.runner import Runner
from torch import nn

from .. import toy

RECIPES = [f'{method}_shards{shards}' for method in ('byol', 'moco', 'simclr', 'swav', 'linear') for shards in (1, 8)]


def rates(peaks: list[float], steps: int, epoch_length: int, **schedule) -> np.ndarray:
    """Learning rates ``(steps, groups)`` of a config's scheduler, one row per iteration."""
    optimizer = torch.optim.SGD([dict(params=[nn.Parameter(torch.zeros(1))], lr=peak) for peak in peaks])
    scheduler = PARAM_SCHEDULERS.build(dict(type='WarmupCosineLR', convert_to_iter_based=True, **schedule),
                                       default_args=dict(optimizer=optimizer, epoch_length=epoch_length))
    rows = []
    for _ in range(steps):
        rows.append([group['lr'] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return np.array(rows)


@pytest.mark.parametrize('recipe', RECIPES)
def test_equals_the_peer_s_golden_values(recipe, shared):
    golden = np.load(shared / 'golden' / 'lr_schedule.npz')
    base, warmup, start, epochs, _ = golden[f'{recipe}_cfg'].tolist()
    inside = golden['epoch'] < epochs  # the peer's epochs are fractional; all are quarters
    ours = rates([base], int(epochs) * 4, epoch_length=4, start_factor=start / base, warmup=int(warmup),
                 end=int(epochs))[:, 0]
    steps = (golden['epoch'][inside] * 4).astype(int)
    assert inside.sum() > 150 and np.array_equal(steps / 4, golden['epoch'][inside])
    np.testing.assert_allclose(ours[steps], golden[recipe][inside], rtol=1e-6, atol=1e-12)


def test_is_a_line_that_meets_the_cosine():
    ours = rates([4.8, .4], 200 * 5, epoch_length=5, start_factor=.01, warmup=35, end=200)
    cosine = (np.cos(np.pi * np.arange(1000) / 1000) + 1) / 2
    line = np.linspace(.01, (math.cos(.175 * math.pi) + 1) / 2, 176)  # 35 x 5 steps and the one that it ends on
    np.testing.assert_allclose(ours[:176, 0], 4.8 * line, rtol=1e-12)
    np.testing.assert_allclose(ours[175:, 0], 4.8 * cosine[175:], rtol=1e-12)
    np.testing.assert_allclose(ours[:, 1], ours[:, 0] / 12, rtol=1e-12)  # each group from its own peak
    assert ours[:, 0].max() == pytest.approx(4.446336, abs=1e-6)


def test_without_warm_up_it_is_mmengine_s_cosine():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=4.8)
    stock = PARAM_SCHEDULERS.build(dict(type='CosineAnnealingLR', by_epoch=True, begin=0, end=10, eta_min=0,
                                        convert_to_iter_based=True),
                                   default_args=dict(optimizer=optimizer, epoch_length=7))
    for rate in rates([4.8], 70, epoch_length=7, start_factor=0., warmup=0, end=10)[:, 0]:
        assert optimizer.param_groups[0]['lr'] == pytest.approx(rate, rel=1e-9)
        optimizer.step()
        stock.step()


def train(folder, **changes) -> list[float]:
    schedule = [dict(type='WarmupCosineLR', start_factor=.1, warmup=1, end=3, convert_to_iter_based=True)]
    Runner.from_cfg(Config(toy.toy_config(folder, randomness=dict(seed=0), param_scheduler=schedule,
                                          **changes))).train()
    return [step['lr'] for step in torch.load(folder / 'record_0.pt')]


def test_resumes_within_a_runner(tmp_path):
    whole = train(tmp_path / 'whole')
    assert len(whole) == 18 and whole[0] == pytest.approx(.1 * .4) and whole[6] == pytest.approx(.4 * .75)
    resumed = train(tmp_path / 'resumed', load_from=str(tmp_path / 'whole' / 'epoch_2.pth'), resume=True)
    assert resumed == whole[12:]


def test_auto_scale_lr_scales_start_and_cosine(tmp_path):
    plain = train(tmp_path / 'plain')
    scaled = train(tmp_path / 'scaled', auto_scale_lr=dict(enable=True, base_batch_size=2))
    np.testing.assert_allclose(scaled, 2 * np.array(plain), rtol=1e-12)


@pytest.mark.parametrize('changes, match', [
    (dict(start_factor=1.5), 'start_factor is a share of the peak, in .0, 1., got 1.5'),
    (dict(warmup=10), 'warmup must be at least 0 and below end - begin = 10, got 10'),
    (dict(warmup=-1), 'below end - begin = 10, got -1'),
])
def test_bad_values(changes, match):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.)
    with pytest.raises(ValueError, match=match):
        PARAM_SCHEDULERS.build(dict(type='WarmupCosineLR', optimizer=optimizer, end=10,
                                    **{**dict(start_factor=.1, warmup=2), **changes}))
