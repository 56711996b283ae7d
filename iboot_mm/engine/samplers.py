"""Which videos each process sees, and in which order."""

from collections.abc import Iterator, Sized

import numpy as np
import torch
from mmaction.registry import DATA_SAMPLERS
from mmengine.dataset import DefaultSampler


@DATA_SAMPLERS.register_module()
class EpochSampler(DefaultSampler):
    """A shuffled epoch of whole global batches, the same ones for any number of processes.

    The order is a function of (seed, epoch). The tail that does not fill a global batch is left out of that epoch, so
    gradient accumulation never mixes epochs and no video is shown twice in one.

    Args:
        dataset: The dataset.
        multiple_of: Videos in a global batch; :class:`~iboot_mm.engine.loops.GlobalBatchTrainLoop` sets it.
        shuffle: Shuffle each epoch anew.
        seed: Seed of the order, the same in all processes; drawn and shared when None.

    Raises:
        ValueError: the dataset does not fill one global batch.
    """

    def __init__(self, dataset: Sized, multiple_of: int = 1, shuffle: bool = True, seed: int | None = None) -> None:
        super().__init__(dataset, shuffle=shuffle, seed=seed, round_up=True)
        if len(dataset) < multiple_of:
            raise ValueError(
                f'the dataset has {len(dataset)} videos, fewer than the global batch of {multiple_of}: add videos or '
                f'set train_cfg.global_batch to at most {len(dataset)}')
        if multiple_of > 1:
            # The loop plans batches that divide by the number of processes, so every process gets as many videos.
            self.total_size = len(dataset) // multiple_of * multiple_of
            self.num_samples = self.total_size // self.world_size

    def __iter__(self) -> Iterator[int]:
        indices = epoch_order(len(self.dataset), self.seed, self.epoch, self.shuffle)
        # Without a multiple, the epoch is filled up to the number of processes, as DefaultSampler does.
        indices = (indices * (self.total_size // len(indices) + 1))[:self.total_size]
        return iter(indices[self.rank:self.total_size:self.world_size])


def epoch_order(length: int, seed: int, epoch: int, shuffle: bool = True) -> list[int]:
    """Order of ``length`` videos in an epoch, a function of (seed, epoch).

    ``seed + epoch``, as in mmengine, would give run 1 the second epoch of run 0 as its first.
    """
    if not shuffle:
        return list(range(length))
    generator = torch.Generator().manual_seed(mix_seeds(seed, epoch))
    return torch.randperm(length, generator=generator).tolist()


def mix_seeds(*parts: int) -> int:
    """One 63-bit seed that is a function of all parts."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))
