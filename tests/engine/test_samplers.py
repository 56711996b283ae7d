"""The order of videos: whole batches, the same for any number of processes, a function of (seed, epoch)."""

import gc
import pickle
import tracemalloc
from itertools import islice

import pytest
import torch
from torch.utils.data import DataLoader

from iboot_mm.engine.samplers import EndlessSampler, EpochSampler, PassIndex, epoch_order, mix_seeds, numbers_of


def sampler(length, rank=0, world=1, monkeypatch=None, **kwargs):
    monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda: (rank, world))
    return EpochSampler(list(range(length)), seed=5, **kwargs)


def global_batches(monkeypatch, length, world, per_process, accumulation, epoch=2):
    """The set of videos in each optimizer step, over all processes."""
    streams = []
    for rank in range(world):
        s = sampler(length, rank, world, monkeypatch, multiple_of=world * per_process * accumulation)
        s.set_epoch(epoch)
        streams.append(list(s))
        assert len(streams[-1]) == len(s)
    share = per_process * accumulation
    return [sorted(i for stream in streams for i in stream[k:k + share]) for k in range(0, len(streams[0]), share)]


def test_global_batches_do_not_depend_on_the_processes(monkeypatch):
    whole = global_batches(monkeypatch, 30, 1, 8, 1)
    assert len(whole) == 3 and all(len(batch) == 8 for batch in whole)
    assert len({i for batch in whole for i in batch}) == 24  # no video twice
    for world, per_process, accumulation in ((1, 2, 4), (2, 4, 1), (2, 1, 4), (4, 2, 1), (4, 1, 2), (8, 1, 1)):
        assert global_batches(monkeypatch, 30, world, per_process, accumulation) == whole


def test_epochs_differ_and_repeat(monkeypatch):
    s = sampler(20, monkeypatch=monkeypatch)
    orders = []
    for epoch in (0, 1, 0):
        s.set_epoch(epoch)
        orders.append(list(s))
    assert orders[0] == orders[2] != orders[1]
    assert sorted(orders[0]) == list(range(20))


def test_epoch_of_one_seed_is_no_epoch_of_another():
    orders = [epoch_order(50, seed, epoch).tolist() for seed, epoch in ((0, 1), (1, 0))]
    assert orders[0] != orders[1]  # mmengine's seed + epoch is
    assert mix_seeds(1, 2) != mix_seeds(2, 1)
    assert 0 <= mix_seeds(2**62, 3, 4) < 2**63


def test_the_order_is_that_of_earlier_versions():
    """Which kept a list of torch's default integers."""
    generator = torch.Generator().manual_seed(mix_seeds(3, 7))
    assert list(numbers_of(epoch_order(9000, 3, 7))) == torch.randperm(9000, generator=generator).tolist()


def test_the_order_of_millions_takes_four_bytes_each(monkeypatch):
    """And each process keeps its own part of it only."""
    million = sampler(10**6, 1, 8, monkeypatch)
    tracemalloc.start()
    first = next(iter(million))
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert type(first) is int and kept < 10**6 / 8 * 4 + 3e5 and peak < 2e6  # tracemalloc does not see torch's own 4 MB


def test_without_a_multiple_every_video_is_seen(monkeypatch):
    seen = [i for rank in range(3) for i in sampler(10, rank, 3, monkeypatch)]
    assert len(seen) == 12 and set(seen) == set(range(10))
    assert list(sampler(4, monkeypatch=monkeypatch, shuffle=False)) == [0, 1, 2, 3]


def test_dataset_smaller_than_the_batch(monkeypatch):
    with pytest.raises(ValueError, match='7 videos, fewer than the global batch of 8: add videos or set'):
        sampler(7, monkeypatch=monkeypatch, multiple_of=8)


def test_a_pass_is_cut_into_epochs_of_as_many_steps(monkeypatch):
    """30 videos fill 7 batches of 4, which are 3 epochs of 2 steps; the first of the next pass is another order."""
    orders = []
    for epoch in range(6):
        streams = []
        for rank in range(2):
            s = sampler(30, rank, 2, monkeypatch, multiple_of=4, steps=2)
            s.set_epoch(epoch)
            streams.append(list(s))
            assert len(s) == len(streams[-1]) == 4
        orders.append([i for pair in zip(*streams) for i in pair])
    passes = [epoch_order(30, seed=5, epoch=number)[:24].tolist() for number in (0, 1)]
    assert [sum(orders[:3], []), sum(orders[3:], [])] == passes and passes[0] != passes[1]


@pytest.mark.parametrize('steps', [0, 8])
def test_more_steps_than_the_videos_fill_are_one_sentence(monkeypatch, steps):
    with pytest.raises(ValueError, match=f'steps is {steps}, but the dataset has 30 videos, which fill 7 batches of 4'):
        sampler(30, monkeypatch=monkeypatch, multiple_of=4, steps=steps)


@pytest.mark.parametrize('steps', [2.5, 2., '2', True])
def test_steps_that_are_no_whole_number_are_one_sentence(monkeypatch, steps):
    with pytest.raises(ValueError, match=f'sampler.steps is {steps!r}: give a whole number'):
        sampler(30, monkeypatch=monkeypatch, multiple_of=4, steps=steps)


def endless(rank, world, monkeypatch):
    monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda: (rank, world))
    return EndlessSampler(range(10), seed=5)


def test_endless_passes_are_whole_and_the_same_for_any_number_of_processes(monkeypatch):
    whole = list(islice(endless(0, 1, monkeypatch), 60))
    passes = [whole[k:k + 10] for k in range(0, 60, 10)]
    assert all(sorted(part) == list(range(10)) for part in passes) and len(set(map(tuple, passes))) == 6
    assert [index.number for index in whole] == [k // 10 for k in range(60)]
    streams = [list(islice(endless(rank, 3, monkeypatch), 20)) for rank in range(3)]
    assert [i for step in zip(*streams) for i in step] == whole


def test_an_index_of_a_pass_is_an_index_and_reaches_workers_whole():
    index = pickle.loads(pickle.dumps(PassIndex(7, 3)))
    assert (index, index.number, list(range(10))[index]) == (7, 3, 7)


@pytest.mark.parametrize('workers', [0, 1])
def test_each_epoch_of_a_loader_has_its_own_endless_order(monkeypatch, workers):
    """mmengine's InfiniteSampler is closed with the first epoch's iterator and gives the second one nothing."""
    sampler = endless(0, 1, monkeypatch)
    loader = DataLoader(range(10), batch_size=4, sampler=sampler, num_workers=workers, persistent_workers=workers > 0)
    orders = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        orders.append([i for batch in islice(loader, 5) for i in batch.tolist()])
        gc.collect()
    assert orders[0] == orders[2] != orders[1] and [len(order) for order in orders] == [20] * 3
