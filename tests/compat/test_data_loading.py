"""Loaders that torch refuses or that would wait for ever."""

import shutil
from types import SimpleNamespace

import pytest
import torch
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import DataLoader

from iboot_mm.compat.data_loading import size_of


class Clips(torch.utils.data.Dataset):
    """Samples of 1 MiB."""

    def __len__(self) -> int:
        return 24

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return dict(inputs=torch.full((2**20, ), index, dtype=torch.uint8))


def build(**options) -> DataLoader:
    return Runner.build_dataloader(dict(
        dataset=Clips(), sampler=dict(type='DefaultSampler', shuffle=False), batch_size=2, **options))


@pytest.fixture
def shared_memory(monkeypatch):
    """Sets what is free there, in MiB."""
    def set_free(free: float) -> None:
        monkeypatch.setattr(shutil, 'disk_usage', lambda path: SimpleNamespace(free=int(free * 2**20)))
    return set_free


@pytest.mark.parametrize('option', [dict(persistent_workers=True), dict(prefetch_factor=4), {}])
def test_no_workers_beside_options_of_workers(option):
    assert sum(len(batch['inputs']) for batch in build(num_workers=0, **option)) == 24


def test_options_of_workers_are_kept():
    loader = build(num_workers=1, persistent_workers=True, prefetch_factor=4)
    assert loader.persistent_workers and loader.prefetch_factor == 4


@pytest.mark.parametrize('workers, prefetch, needed, fit', [
    (2, 2, 10, 'at most 1'), (2, 4, 18, 'at most 1'), (1, 8, 18, '0')])
def test_batches_that_do_not_fit_are_told_by_the_first(shared_memory, workers, prefetch, needed, fit):
    options = dict(num_workers=workers, prefetch_factor=prefetch)
    shared_memory(needed - .1)
    with pytest.raises(RuntimeError) as told:
        list(build(**options))
    assert str(told.value) == (
        f'/dev/shm has {needed - .1} MiB free for a process, and {workers} workers with {prefetch} batches of '
        f'2.0 MiB each want {needed}.0 MiB: start the container with --shm-size=16g (or --ipc=host), or set '
        f'num_workers of the loader to {fit}')
    shared_memory(needed)
    assert [int(clip[0]) for batch in build(**options) for clip in batch['inputs']] == list(range(24))


def test_processes_share_it(shared_memory, monkeypatch):
    shared_memory(10)
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '2')
    with pytest.raises(RuntimeError, match='/dev/shm has 5.0 MiB free for a process'):
        list(build(num_workers=2))


def test_what_other_loaders_hold_counts(shared_memory):
    """10 MiB are wanted and were free when both loaders were built; the other one has filled one of them since."""
    shared_memory(10)
    loader = build(num_workers=2)
    shared_memory(9)
    with pytest.raises(RuntimeError, match='/dev/shm has 9.0 MiB free .* want 10.0 MiB'):
        list(loader)


def test_what_the_loader_holds_itself_does_not(shared_memory):
    shared_memory(10)
    measured = build(num_workers=2).collate_fn
    batch = [dict(inputs=torch.zeros(2**20, dtype=torch.uint8))] * 2
    for made in range(3):
        shared_memory(10 - 2 * made)
        measured._check(size_of(measured(batch)))


def test_what_counts_as_a_batch():
    batch = dict(inputs=[torch.zeros(3), torch.zeros(5, dtype=torch.uint8)], data_samples=['a', None], more=(1, ))
    assert size_of(batch) == 17
