"""Random streams that are a function of (seed, epoch), not of what happened before."""

import random
from collections.abc import Iterator

import numpy as np
import torch
from mmaction.registry import HOOKS
from mmengine.dataset import worker_init_fn
from mmengine.dist import broadcast, get_rank
from mmengine.hooks import DistSamplerSeedHook
from mmengine.runner import Runner
from torch.utils.data import Dataset

from ..loops import loaders_of
from ..samplers import mix_seeds
from .checkpoint import saves_after_this_step


@HOOKS.register_module()
class EpochSeedHook(DistSamplerSeedHook):
    """Sets every random stream at the start of each epoch from (seed, epoch), so resuming changes nothing.

    mmengine gives the sampler the seed that it drew before a checkpoint brought the run's own back, replays the
    workers' streams in every epoch and does not restore the process's: with this hook, a resumed run goes on bit for
    bit as if it had never stopped. It serves the sampler, the transforms that have ``set_epoch(seed, epoch)`` (their
    draws do not even depend on workers and ranks), the worker processes, and this process's Python, NumPy and torch
    generators.

    A run that was stopped inside an epoch goes on at the next video. For this the process's generators start anew after
    each checkpoint there. Stock transforms that draw from a worker's own generators are the one thing that then differs
    from the run that was never stopped.

    Example:
        >>> default_hooks = dict(sampler_seed=dict(type='EpochSeedHook'))
    """

    def before_train(self, runner: Runner) -> None:
        """Shares rank 0's seed, a resumed one if there is one, and gives it to the sampler."""
        seed = torch.tensor(runner.seed, dtype=torch.int64)  # ranks differ under --diff-rank-seed
        broadcast(seed)
        self.seed = int(seed)
        for loader in loaders_of(runner.train_loop):
            loader.sampler.seed = self.seed
            if getattr(loader.worker_init_fn, 'func', None) is worker_init_fn:
                # mmengine's initialiser restarts the workers' streams from one seed in each epoch; without it torch
                # starts them from this process's generator, which is set below.
                loader.worker_init_fn = None

    def before_train_epoch(self, runner: Runner) -> None:
        """Sets samplers, transforms and generators for the epoch that begins, or for the rest of one.

        Raises:
            ValueError: a loader cannot begin inside an epoch.
        """
        super().before_train_epoch(runner)
        done = self._done(runner)
        # Samplers beside the first get the epoch from their loop.
        for number, loader in enumerate(loaders_of(runner.train_loop)):
            seed = mix_seeds(self.seed, number) if number else self.seed  # or one index had the same draws in all
            if hasattr(loader.sampler, 'start'):
                loader.sampler.start = done * loader.batch_size
            elif done:
                raise ValueError(f'this run was stopped inside epoch {runner.epoch + 1}, and the '
                                 f'{type(loader.sampler).__name__} of train_dataloader cannot begin there: resume from '
                                 "the end of an epoch, or set the sampler's type to EpochSampler")
            # A loader that starts draws a number from the process's generator, which inside an epoch has been drawn.
            loader.generator = torch.Generator().manual_seed(self.seed) if done else None
            for transform in find_transforms(loader.dataset):
                if hasattr(transform, 'set_epoch'):
                    transform.set_epoch(seed, runner.epoch)
        self._seed_process(runner.epoch, done)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None,
                         outputs: dict | None = None) -> None:
        """Sets the generators where a run may begin again, at a checkpoint inside an epoch."""
        if saves_after_this_step(runner):
            self._seed_process(runner.epoch, self._done(runner) + 1)

    @staticmethod
    def _done(runner: Runner) -> int:
        """Iterations of the epoch that are over."""
        return runner.iter - runner.epoch * len(runner.train_loop.dataloader)

    def _seed_process(self, epoch: int, done: int) -> None:
        """Sets this process's generators, after so many iterations of an epoch."""
        seed = mix_seeds(self.seed, epoch, get_rank(), *([done] if done else []))
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)


def find_transforms(dataset: Dataset) -> Iterator[object]:
    """All transforms of a dataset, through wrappers (``.dataset``), concatenations and nested pipelines."""
    parts = getattr(dataset, 'datasets', [])  # torch's StackDataset may have names for them
    for child in [*(parts.values() if isinstance(parts, dict) else parts), getattr(dataset, 'dataset', None)]:
        if child is not None:
            yield from find_transforms(child)
    yield from _flatten(getattr(dataset, 'pipeline', None))


def _flatten(pipeline: object) -> Iterator[object]:
    inner = getattr(pipeline, 'transforms', None)
    if inner is None and pipeline is not None:
        yield pipeline
    for transform in inner or []:
        yield from _flatten(transform)
