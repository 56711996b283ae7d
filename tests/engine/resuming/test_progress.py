"""Where runs stand, in epochs."""

from fractions import Fraction

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.optim.scheduler import CosineAnnealingLR, ExponentialLR, LinearLR
from torch import nn

from iboot_mm.engine.resuming.progress import advance, epochs_done, place


@pytest.mark.parametrize('epoch, iteration, done', [
    (5, 30, 5), (0, 0, 0), (2, 15, Fraction(5, 2)), (2, 18, 3),  # saved in the last step of an epoch
    (6, 54, 6), (6, 10, 6)])  # sums of two units
def test_epochs_of_a_checkpoint(epoch, iteration, done):
    assert epochs_done(dict(epoch=epoch, iter=iteration), dict(max_iters=60, max_epochs=10)) == done
    assert epochs_done(dict(epoch=epoch, iter=iteration), {}) == epoch


def test_there_and_back_in_any_split():
    """Every step of 3 epochs of 6, as 1 to 12 forward passes a step."""
    for steps_done in range(3 * 6 + 1):
        for before in range(1, 13):
            epoch, iteration = divmod(steps_done, 6)[0], steps_done * before
            done = epochs_done(dict(epoch=epoch, iter=iteration), dict(max_iters=18 * before, max_epochs=3))
            for after in range(1, 13):
                assert place(done, 6 * after, after) == (epoch, steps_done * after)
    assert place(Fraction(1, 6), 10, 2) is None and place(Fraction(1, 2), 10, 2) is None
    assert place(Fraction(3), 7, 2) == (3, 21)  # other loops' accumulation need not divide an epoch


@pytest.mark.parametrize('groups', [1, 7])
def test_schedules_are_advanced_bit_for_bit(groups):
    """Groups of two rates and decays, of which alike ones are stepped once; against steps one by one."""
    def build():
        parameters = [nn.Parameter(torch.zeros(1)) for _ in range(groups)]
        wrapper = OptimWrapper(torch.optim.AdamW([
            dict(params=[p], lr=.1 * (1 + i % 2), weight_decay=i % 3) for i, p in enumerate(parameters)], lr=.3))
        return wrapper, [LinearLR(wrapper, start_factor=.1, begin=0, end=9, by_epoch=False),
                         CosineAnnealingLR(wrapper, begin=9, end=50, by_epoch=False),
                         ExponentialLR(wrapper, gamma=.9, by_epoch=True)]

    (fast, jumped), (slow, stepped) = build(), build()
    advance(jumped, Fraction(23, 5), 5)
    for number in range(1, 24):
        slow.optimizer.step()
        stepped[0].step()
        stepped[1].step()
        if number % 5 == 0:
            stepped[2].step()
    assert [scheduler.state_dict() for scheduler in jumped] == [scheduler.state_dict() for scheduler in stepped]
    options = [[{k: v for k, v in group.items() if k != 'params'} for group in wrapper.param_groups]
               for wrapper in (fast, slow)]
    assert options[0] == options[1] and len(fast.optimizer.param_groups) == groups
    advance([], Fraction(3), 5)
