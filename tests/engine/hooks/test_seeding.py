"""Streams that follow (seed, epoch)."""

import random
from functools import partial
from types import SimpleNamespace

import numpy as np
import torch
from mmengine.dataset import Compose, worker_init_fn
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset

from iboot_mm.engine.hooks import EpochSeedHook
from iboot_mm.engine.hooks.seeding import find_transforms
from iboot_mm.engine.samplers import EpochSampler


class Draws:
    """A transform that takes an epoch's seed."""

    def __init__(self):
        self.got = []

    def set_epoch(self, seed, epoch):
        self.got.append((seed, epoch))

    def __call__(self, results):
        return results


class Numbers(Dataset):
    """Draws from the worker's own generators, as stock transforms do."""

    def __init__(self, *transforms):
        self.pipeline = Compose([])
        self.pipeline.transforms = list(transforms)
        self.metainfo = {}

    def __len__(self):
        return 8

    def full_init(self):
        pass

    def __getitem__(self, index):
        return index, np.random.rand(), random.random(), float(torch.rand(()))


def fake_runner(dataset, seed=3, epoch=0, workers=0):
    loader = DataLoader(dataset, batch_size=2, num_workers=workers, sampler=EpochSampler(dataset, seed=99),
                        worker_init_fn=partial(worker_init_fn, num_workers=workers, rank=0, seed=0))
    return SimpleNamespace(seed=seed, epoch=epoch, iter=epoch * len(loader),
                           train_loop=SimpleNamespace(dataloader=loader))


def run_epochs(epochs, seed=3, workers=2):
    runner = fake_runner(Numbers(), seed, workers=workers)
    hook = EpochSeedHook()
    hook.before_train(runner)
    batches = {}
    for runner.epoch in epochs:
        runner.iter = runner.epoch * len(runner.train_loop.dataloader)
        hook.before_train_epoch(runner)
        batches[runner.epoch] = [[column.tolist() for column in batch] for batch in runner.train_loop.dataloader]
    return batches


def test_an_epoch_is_the_same_whatever_came_before():
    through, resumed = run_epochs([0, 1, 2]), run_epochs([2])
    assert through[2] == resumed[2]
    assert through[0] != through[1] != through[2]
    assert run_epochs([2], seed=4)[2] != resumed[2]
    # numpy's numbers are fresh in every epoch; mmengine's initialiser would replay them
    assert through[0][0][1] != through[1][0][1]


def test_the_resumed_seed_reaches_sampler_and_transforms():
    transform, nested = Draws(), Draws()
    inner = Numbers(transform, SimpleNamespace(transforms=[nested]))
    runner = fake_runner(Subset(ConcatDataset([inner, Numbers()]), range(10)), seed=17, epoch=4)
    hook = EpochSeedHook()
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    sampler = runner.train_loop.dataloader.sampler
    assert (sampler.seed, sampler.epoch) == (17, 4)
    assert transform.got == nested.got == [(17, 4)]


def test_transforms_of_several_loaders_have_seeds_of_their_own():
    transforms = [Draws(), Draws(), Draws()]
    runner = fake_runner(Numbers(), seed=17, epoch=4)
    runner.train_loop.multi_loaders = [fake_runner(Numbers(draws)).train_loop.dataloader for draws in transforms]
    hook = EpochSeedHook()
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    (first, *others) = [seed for draws in transforms for seed, epoch in draws.got if epoch == 4]
    assert first == 17 and len({first, *others}) == 3


def test_find_transforms_copes_with_plain_datasets():
    assert list(find_transforms(torch.utils.data.TensorDataset(torch.zeros(2)))) == []


def test_find_transforms_looks_into_stacks():
    parts = [Numbers(Draws()), Numbers(Draws())]
    wanted = [step for part in parts for step in find_transforms(part)]
    for stack in (torch.utils.data.StackDataset(*parts), torch.utils.data.StackDataset(a=parts[0], b=parts[1])):
        assert list(find_transforms(stack)) == wanted != []


def test_an_initialiser_of_the_users_stays():
    runner = fake_runner(Numbers())
    runner.train_loop.dataloader.worker_init_fn = mine = print
    EpochSeedHook().before_train(runner)
    assert runner.train_loop.dataloader.worker_init_fn is mine
