"""A half cosine with a warm-up that ends on it, the learning rate of PySlowFast's recipes."""

import math
from typing import Any

from mmaction.registry import PARAM_SCHEDULERS
from mmengine.optim import _ParamScheduler
from torch.optim import Optimizer


@PARAM_SCHEDULERS.register_module()
class WarmupCosineLR(_ParamScheduler):
    """A half cosine over the whole run; its first steps are replaced by a line that meets it.

    At step n of N, with a peak rate ``lr``: ``lr (cos(pi n / N) + 1) / 2``, but for n < W the line from
    ``start_factor * lr`` at step 0 to the cosine's value at W. So the rate never reaches ``lr``: with W = 35 and N =
    200 epochs the largest is .926 lr. mmengine's ``LinearLR`` followed by ``CosineAnnealingLR(begin=W)``, as in
    iBoot's recipe, climbs to ``lr`` and has a cosine of N - W epochs.

    All values are in closed form and relative to each parameter group's own ``initial_lr``, so ``--auto-scale-lr`` and
    resuming act as with mmengine's schedulers; no other scheduler of the learning rate may act at the same time.

    Example:
        >>> param_scheduler = [dict(type='WarmupCosineLR', start_factor=.001 / .6, warmup=35, by_epoch=True, end=200,
        ...                         convert_to_iter_based=True)]

    Args:
        optimizer: The optimizer, or mmengine's wrapper of it.
        start_factor: Learning rate of the first step, as a share of the peak, in [0, 1].
        warmup: W, steps or epochs of ``begin`` to ``end`` that warm up; 0 leaves the plain cosine.
        end: Where the cosine reaches 0.
        begin: Where it starts.
        last_step: As in mmengine, and so are the following.
        by_epoch: Steps are epochs.
        verbose: Print each rate.

    Raises:
        ValueError: ``start_factor`` or ``warmup`` out of range.
    """

    def __init__(self, optimizer: Optimizer, start_factor: float, warmup: int, end: int, begin: int = 0,
                 last_step: int = -1, by_epoch: bool = True, verbose: bool = False) -> None:
        if not 0 <= start_factor <= 1:
            raise ValueError(f'WarmupCosineLR: start_factor is a share of the peak, in [0, 1], got {start_factor}.')
        if not 0 <= warmup < end - begin:
            raise ValueError(f'WarmupCosineLR: warmup must be at least 0 and below end - begin = {end - begin}, got '
                             f'{warmup}.')
        self.start_factor = start_factor
        self.warmup = warmup
        super().__init__(optimizer, 'lr', begin, end, last_step, by_epoch, verbose)

    @classmethod
    def build_iter_from_epoch(cls, *args: Any, warmup: int, end: int, begin: int = 0, by_epoch: bool = True,
                              epoch_length: int | None = None, **kwargs: Any) -> 'WarmupCosineLR':
        """Takes ``warmup``, ``begin`` and ``end`` in epochs of ``epoch_length`` iterations; acts at each iteration."""
        warmup, begin, end = (int(epochs * epoch_length) for epochs in (warmup, begin, end))
        return cls(*args, warmup=warmup, begin=begin, end=end, by_epoch=False, **kwargs)

    def _get_value(self) -> list[float]:
        factor = self._cosine(self.last_step)
        if self.last_step < self.warmup:
            share = self.last_step / self.warmup
            factor = self.start_factor * (1 - share) + self._cosine(self.warmup) * share
        return [base * factor for base in self.base_values]

    def _cosine(self, step: int) -> float:
        return (math.cos(math.pi * step / (self.end - self.begin)) + 1) / 2
