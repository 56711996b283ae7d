"""Every random draw of a sample is a function of (seed, epoch, index of the video, view).

In a wrapper such as `RepeatDataset` or `ConcatDataset` its place in the outermost one counts, too, so that no two
samples of an epoch share their draws. Then neither the number of workers, nor the rank that got the sample, nor an
interruption changes what a run sees.
"""

import os

import numpy as np
import torch

# One stream of random numbers for each purpose; the values only have to differ.
WINDOW_TAG = 0xDA7A0
START_TAG = 0xDA7A1
CROP_TAG = 0xDA7A2
REPLACE_TAG = 0xDA7A3
SHUFFLE_TAG = 0xDA7A4
SPEED_TAG = 0xDA7A5
RATE_TAG = 0xDA7A6
TARGET_TAG = 0xDA7A7
SHOT_TAG = 0xDA7A8
AUGMENT_TAG = 0xDA7A9


class EpochClock:
    """(seed, epoch) in shared memory, so that workers that live for many epochs see the change."""

    def __init__(self) -> None:
        self._state = torch.zeros(3, dtype=torch.int64).share_memory_()  # is set, seed, epoch

    def set(self, seed: int, epoch: int) -> None:
        """Set both; from now on draws are reproducible."""
        if seed < 0 or epoch < 0:
            raise ValueError(f'seed and epoch must not be negative, got {seed} and {epoch}.')
        if not self._state.is_shared():  # a deep copy of a data set loses that
            self._state.share_memory_()
        self._state.copy_(torch.tensor([1, seed, epoch]))

    def get(self) -> tuple[int, int] | None:
        """(seed, epoch), or None if they were never set."""
        is_set, seed, epoch = self._state.tolist()
        return (seed, epoch) if is_set else None


def view_seed(seed: int, epoch: int, sample_idx: int, view: int, *outer: int) -> int:
    """The seed of one view, in [0, 2**63); `outer` is the sample's place in a wrapper around its data set, if any."""
    word = np.random.SeedSequence((seed, epoch, sample_idx, view, *outer)).generate_state(1, np.uint64)[0]
    return int(word >> np.uint64(1))


def fresh_seed() -> int:
    """A seed from the system's entropy, in [0, 2**63)."""
    return int.from_bytes(os.urandom(8), 'little') >> 1


def view_rng(seed: int, tag: int) -> np.random.Generator:
    """The random numbers of one view for one purpose."""
    return np.random.default_rng([seed, tag])
