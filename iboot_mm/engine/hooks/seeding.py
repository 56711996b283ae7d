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


@HOOKS.register_module()
class EpochSeedHook(DistSamplerSeedHook):
    """Sets every random stream at the start of each epoch from (seed, epoch), so resuming changes nothing.

    mmengine gives the sampler the seed that it drew before a checkpoint brought the run's own back, replays the
    workers' streams in every epoch and does not restore the process's: with this hook, a run that is resumed at an
    epoch's end goes on bit for bit as if it had never stopped. It serves the sampler, the transforms that have
    ``set_epoch(seed, epoch)`` (their draws do not even depend on workers and ranks), the worker processes, and this
    process's Python, NumPy and torch generators.

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
        """Sets sampler, transforms and generators for the epoch that begins."""
        super().before_train_epoch(runner)
        for loader in loaders_of(runner.train_loop):  # samplers beside the first get the epoch from their loop
            for transform in find_transforms(loader.dataset):
                if hasattr(transform, 'set_epoch'):
                    transform.set_epoch(self.seed, runner.epoch)
        seed = mix_seeds(self.seed, runner.epoch, get_rank())
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
