"""Faults of torch and mmengine in loading data by several workers."""

import multiprocessing
import os
import shutil
from collections.abc import Callable
from typing import Any

from .replacing import replace

SHARED_MEMORY = '/dev/shm'  # where workers hand their batches over, whatever torch's sharing strategy


def apply() -> None:
    """Mends what is below, each only where it is present."""
    mend_loaders()


def mend_loaders() -> None:
    """torch (all versions): two ways in which a loader's workers end a run.

    ``num_workers=0``, as one sets by an option to find a fault, is refused beside the config's own
    ``persistent_workers`` or ``prefetch_factor``, which mean nothing then: they are left out. And where /dev/shm is too
    small for the batches (Docker gives 64 MB), workers die of a bus error or wait for ever: it is told with the first
    batch of a worker, before it is handed over. No date to go.
    """
    from mmengine.runner import Runner

    def make(original: Callable) -> Callable:
        def build_dataloader(dataloader: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(dataloader, dict) and dataloader.get('num_workers', 0) == 0:
                dataloader = {key: value for key, value in dataloader.items()
                              if key not in ('persistent_workers', 'prefetch_factor')}
            loader = original(dataloader, *args, **kwargs)
            if loader.num_workers and os.path.isdir(SHARED_MEMORY) and not isinstance(loader.collate_fn, MeasuredBatch):
                loader.collate_fn = MeasuredBatch(loader.collate_fn, loader.num_workers, loader.prefetch_factor)
            return loader
        return build_dataloader

    replace(Runner, 'build_dataloader', make)


class SharedMemoryError(RuntimeError):
    """Batches do not fit into shared memory."""

    def __str__(self) -> str:
        return super().__str__().rpartition('SharedMemoryError: ')[2].strip()  # torch puts a worker's traceback before


class MeasuredBatch:
    """Makes a batch, and measures a worker's first one.

    What is free counts when the loader is built, shared out among the processes of this machine, and again then, when
    other loaders may have filled some: batches that this loader has made by then are taken to lie there still.

    Args:
        collate: Makes the batch of a list of samples.
        workers: Of the loader.
        prefetch: Batches that each of them has ready.

    Raises:
        SharedMemoryError: the batches of all workers do not fit into what is free.
    """

    def __init__(self, collate: Callable, workers: int, prefetch: int) -> None:
        self.collate = collate
        self.workers, self.prefetch = workers, prefetch
        self.free = _free() // int(os.environ.get('LOCAL_WORLD_SIZE', 1))
        self.made = multiprocessing.RawValue('q', 0)  # batches of all workers, by and by more than lie there
        self.measured = False

    def __call__(self, samples: list) -> object:
        from torch.utils.data import get_worker_info
        batch = self.collate(samples)
        if not self.measured and get_worker_info() is not None:
            self.measured = True
            self._check(size_of(batch))
        self.made.value += 1
        return batch

    def _check(self, size: int) -> None:
        needed = size * (self.workers * self.prefetch + 1)  # and the one that is being trained on
        free = min(self.free, _free() + size * self.made.value)
        if needed > free:
            fit = max((free // max(size, 1) - 1) // self.prefetch, 0)
            raise SharedMemoryError(
                f'{SHARED_MEMORY} has {free / 2**20:.1f} MiB free for a process, and {self.workers} workers with '
                f'{self.prefetch} batches of {size / 2**20:.1f} MiB each want {needed / 2**20:.1f} MiB: start the '
                'container with --shm-size=16g (or --ipc=host), or set num_workers of the loader to '
                f'{"at most " if fit else ""}{fit}')


def _free() -> int:
    return shutil.disk_usage(SHARED_MEMORY).free


def size_of(batch: object) -> int:
    """Bytes of the tensors in a batch: what workers put into shared memory."""
    import torch
    if isinstance(batch, torch.Tensor):
        return batch.nbytes
    if isinstance(batch, dict):
        return sum(size_of(value) for value in batch.values())
    return sum(size_of(value) for value in batch) if isinstance(batch, (list, tuple)) else 0
