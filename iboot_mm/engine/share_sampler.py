"""Data sets that are joined by shares rather than by their sizes."""

from collections.abc import Iterator, Sequence, Sized

import numpy as np
from mmaction.registry import DATA_SAMPLERS

from .samplers import EpochSampler, PassIndex, check_steps, epoch_order, mix_seeds, numbers_of

_COUNTS, _PASSES, _PLACES = 7001, 7002, 7003  # one stream of random numbers each


@DATA_SAMPLERS.register_module()
class ShareSampler(EpochSampler):
    """Shuffled epochs in which each part of a ``ConcatDataset`` has a given share, however many videos it has.

    For curated videos beside uncurated ones, of which there are always more. Of an epoch of M videos a part with
    share s has ``s M``, rounded down or up at random so that the mean over epochs is exact. A part goes on where the
    epoch before left it, in shuffled passes one after the other, so its videos are seen equally often, to one time.
    Which videos an epoch has, and in which order, is a function of (seed, epoch) alone and the same for any number of
    processes, so resuming, inside an epoch too, changes nothing. A video that comes several times in an epoch has other
    views each time (see :class:`~iboot_mm.engine.samplers.PassIndex`).

    Where the shares change on the way, the parts go on as if the new ones had held from the start.

    Example:
        >>> train_dataloader = dict(
        ...     sampler=dict(type='ShareSampler', shares=(.75, .25)),
        ...     dataset=dict(type='ConcatDataset', datasets=[dict(type='VideoFolder', root='data/curated'),
        ...                                                  dict(type='VideoFolder', root='data/uncurated')]))

    Args:
        dataset: A ``ConcatDataset``.
        shares: One number above 0 for each of its parts; they count by their proportions.
        multiple_of: As in :class:`~iboot_mm.engine.samplers.EpochSampler`.
        shuffle: Shuffle each pass over a part, and the parts among each other.
        seed: As in :class:`~iboot_mm.engine.samplers.EpochSampler`.
        steps: Global batches in an epoch, any number; None for as many as all parts together fill once.

    Raises:
        ValueError: the data set has no parts, the shares are not one above 0 for each, or
            the steps are no whole number above 0.
    """

    def __init__(self, dataset: Sized, shares: Sequence[float], multiple_of: int = 1, shuffle: bool = True,
                 seed: int | None = None, steps: int | None = None) -> None:
        parts = getattr(dataset, 'datasets', None)
        if parts is None:
            raise ValueError('ShareSampler joins the parts of a ConcatDataset, and train_dataloader.dataset is a '
                             f'{type(dataset).__name__}: make it a ConcatDataset, with the parts in `datasets`')
        super().__init__(dataset, multiple_of, shuffle, seed)
        self.lengths = [len(part) for part in parts]
        is_list = isinstance(shares, (list, tuple)) and all(isinstance(share, (int, float)) for share in shares)
        weights = np.array(shares if is_list else [], dtype=np.float64)
        if weights.shape != (len(self.lengths), ) or not (np.isfinite(weights) & (weights > 0)).all():
            raise ValueError(f'train_dataloader.sampler.shares is {shares}: give a number above 0 for each of the '
                             f'{len(self.lengths)} parts of train_dataloader.dataset; leave out a part without a share')
        self.shares = weights / weights.sum()
        check_steps(steps)
        if steps is not None:
            if steps < 1:
                raise ValueError(f'train_dataloader.sampler.steps is {steps}: an epoch has at least 1 step')
            self.total_size = steps * multiple_of
            self.num_samples = self.total_size // self.world_size

    def __iter__(self) -> Iterator[int]:
        own = slice(self.rank + self.start * self.world_size, self.total_size, self.world_size)
        indices, passes = (numbers[own].copy() for numbers in self.draw(self.epoch))
        return (PassIndex(index, number) if number else index
                for index, number in zip(numbers_of(indices), numbers_of(passes)))

    def draw(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Indices of an epoch's videos, and in which of the epoch's passes over its part each is: ``(M,)`` both."""
        counts = np.array([share_counts(self.shares, self.total_size, mix_seeds(self.seed, number, _COUNTS))
                           for number in range(epoch + 1)])
        drawn = [self._draw_part(part, int(counts[:-1, part].sum()), int(count))
                 for part, count in enumerate(counts[-1])]
        places = epoch_order(self.total_size, mix_seeds(self.seed, _PLACES), epoch, self.shuffle)
        indices, passes = (np.concatenate(numbers)[places] for numbers in zip(*drawn))
        return indices, passes

    def describe(self) -> list[str]:
        """A line for each part, for the training plan."""
        return [f'part {number}         {share:.1%} of an epoch from {length} videos '
                f'({share * self.total_size / length:.3g} passes)'
                for number, (share, length) in enumerate(zip(self.shares, self.lengths))]

    def _draw_part(self, part: int, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The next ``count`` videos of a part after ``first`` ones."""
        length, seed = self.lengths[part], mix_seeds(self.seed, part, _PASSES)
        at = first % length + np.arange(count, dtype=np.int64)
        orders = [epoch_order(length, seed, first // length + number, self.shuffle)
                  for number in range(-(-(first % length + count) // length))]
        videos = np.concatenate(orders)[at] if orders else np.empty(0, np.int32)
        return videos + sum(self.lengths[:part]), (at // length).astype(np.int32)


def share_counts(shares: np.ndarray, total: int, seed: int) -> np.ndarray:
    """How many of ``total`` draws each part has: its share rounded down or up, the mean over seeds exact.

    Systematic sampling: a comb of ``total`` teeth at a random offset is laid over the shares.

    Args:
        shares: ``(K,)`` above 0, of sum 1.
        total: Number of draws.
        seed: Of the offset.

    Returns:
        int64 ``(K,)`` of sum ``total``.
    """
    bounds = np.floor(total * np.cumsum(shares) + np.random.default_rng(seed).random()).astype(np.int64)
    bounds[-1] = total
    return np.diff(np.minimum(bounds, total), prepend=0)
