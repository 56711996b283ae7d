"""Which videos each process sees, and in which order."""

from collections.abc import Iterator, Sized
from itertools import count, islice

import numpy as np
import torch
from mmaction.registry import DATA_SAMPLERS
from mmengine.dataset import DefaultSampler, InfiniteSampler

_AT_ONCE = 4096  # numbers that become Python's


@DATA_SAMPLERS.register_module()
class EpochSampler(DefaultSampler):
    """A shuffled epoch of whole global batches, the same ones for any number of processes.

    The order is a function of (seed, epoch). The tail that does not fill a global batch is left out of that epoch, so
    gradient accumulation never mixes epochs and no video is shown twice in one.

    With ``steps`` an epoch is that many global batches, so a recipe that counts steps keeps its schedule whatever the
    size of the dataset: a pass over the videos is cut into as many epochs as it fills, and what is left over of it is
    left out.

    Args:
        dataset: The dataset.
        multiple_of: Videos in a global batch; :class:`~iboot_mm.engine.loops.GlobalBatchTrainLoop` sets it.
        shuffle: Shuffle each epoch anew.
        seed: Seed of the order, the same in all processes; drawn and shared when None.
        steps: Global batches in an epoch; None for as many as the dataset fills.

    Attributes:
        start: Videos of this process to leave out at the beginning of the next epoch, since they were shown before the
            run was stopped inside it.

    Raises:
        ValueError: the dataset does not fill one global batch, or not ``steps`` of them, or those are no whole number.
    """

    start = 0

    def __init__(self, dataset: Sized, multiple_of: int = 1, shuffle: bool = True, seed: int | None = None,
                 steps: int | None = None) -> None:
        super().__init__(dataset, shuffle=shuffle, seed=seed, round_up=True)
        if len(dataset) < multiple_of:
            raise ValueError(
                f'the dataset has {len(dataset)} videos, fewer than the global batch of {multiple_of}: add videos or '
                f'set train_cfg.global_batch to at most {len(dataset)}')
        self.multiple_of = multiple_of
        batches = len(dataset) // multiple_of
        check_steps(steps)
        if steps is not None and not 1 <= steps <= batches:
            raise ValueError(f'train_dataloader.sampler.steps is {steps}, but the dataset has {len(dataset)} videos, '
                             f'which fill {batches} batches of {multiple_of}: set it to 1 to {batches}, and the epochs '
                             'of train_cfg and param_scheduler so that they make as many steps as before')
        self.epochs_a_pass = batches // steps if steps else 1
        if multiple_of > 1 or steps:
            # The loop plans batches that divide by the number of processes, so every process gets as many videos.
            self.total_size = (steps or batches) * multiple_of
            self.num_samples = self.total_size // self.world_size

    def __iter__(self) -> Iterator[int]:
        number, part = divmod(self.epoch, self.epochs_a_pass)
        order = epoch_order(len(self.dataset), self.seed, number, self.shuffle)[part * self.total_size:]
        if len(order) < self.total_size:
            # Without a multiple, the epoch is filled up to the number of processes, as DefaultSampler does.
            order = np.resize(order, self.total_size)
        own = order[self.rank + self.start * self.world_size:self.total_size:self.world_size]
        return numbers_of(own.copy())  # the other ranks' places are freed


@DATA_SAMPLERS.register_module()
class EndlessSampler(InfiniteSampler):
    """Shuffled passes over a dataset, one after the other without an end, the same ones for any number of processes.

    For a loader beside the main one: MMAction2's ``MultiLoaderEpochBasedTrainLoop`` ends an epoch with its shortest
    loader. mmengine's ``InfiniteSampler`` serves one epoch only: the loader of the second finds its sequence closed
    and gives nothing, so that the loop counts epochs without a step. Here each epoch begins a pass of its own, a
    function of (seed, epoch), so resuming changes nothing. Indices say which pass of the epoch they are of, so that
    ``VideoFolder`` and its kin draw other views each time. Its arguments are ``InfiniteSampler``'s: the ``dataset``,
    ``shuffle`` (each pass anew), and ``seed`` (the same in all processes; drawn and shared when None).

    Example:
        >>> train_cfg = dict(type='MultiLoaderEpochBasedTrainLoop', max_epochs=10, other_loaders=[
        ...     dict(batch_size=32, num_workers=1, sampler=dict(type='EndlessSampler'), dataset=dict())])
    """

    epoch = 0
    start = 0  # as an EpochSampler's

    def __iter__(self) -> Iterator[int]:
        return islice(self._passes(), self.rank + self.start * self.world_size, None, self.world_size)

    def _passes(self) -> Iterator[int]:
        seed = mix_seeds(self.seed, self.epoch)
        for number in count():
            order = epoch_order(self.size, seed, number, self.shuffle)
            yield from (PassIndex(index, number) for index in numbers_of(order))

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch whose passes the next iterator gives."""
        self.epoch = epoch


class PassIndex(int):
    """An index for any dataset, with the ``number`` of the pass that it is of, from 0."""

    def __new__(cls, index: int, number: int) -> 'PassIndex':
        self = super().__new__(cls, index)
        self.number = number
        return self

    def __getnewargs__(self) -> tuple[int, int]:  # type: ignore[override]  # int is made of one number
        return int(self), self.number


def epoch_order(length: int, seed: int, epoch: int, shuffle: bool = True) -> np.ndarray:
    """Order of ``length`` videos in an epoch, a function of (seed, epoch): int32 or int64 (length,).

    ``seed + epoch``, as in mmengine, would give run 1 the second epoch of run 0 as its first.
    """
    dtype = torch.int32 if length < 2**31 else torch.int64  # which changes nothing of the order
    if not shuffle:
        return torch.arange(length, dtype=dtype).numpy()
    generator = torch.Generator().manual_seed(mix_seeds(seed, epoch))
    return torch.randperm(length, generator=generator, dtype=dtype).numpy()


def check_steps(steps: int | None) -> None:
    """Refuses a number of steps that is none.

    Raises:
        ValueError: ``steps`` is neither a whole number nor None.
    """
    if steps is not None and (not isinstance(steps, int) or isinstance(steps, bool)):
        raise ValueError(f'train_dataloader.sampler.steps is {steps!r}: give a whole number of global batches, or None '
                         'for as many as the videos fill')


def numbers_of(order: np.ndarray) -> Iterator[int]:
    """The numbers of an array one by one: as a list, ten million would take 400 MB in each process."""
    for start in range(0, len(order), _AT_ONCE):
        yield from order[start:start + _AT_ONCE].tolist()


def mix_seeds(*parts: int) -> int:
    """One 63-bit seed that is a function of all parts."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))
