"""Shares of joined data: exact on average, the same for any number of processes, whatever was stopped."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.runner import Runner
from scipy.stats import chisquare
from torch.utils.data import ConcatDataset

from iboot_mm.engine.share_sampler import ShareSampler, share_counts

from . import toy

LENGTHS, SHARES = (5, 40, 11), (3, 1.5, .5)  # 60, 30 and 10 %


@DATASETS.register_module(force=True)
class ToyJoined(ConcatDataset):
    """Toy videos of several lengths."""

    def __init__(self, lengths=LENGTHS):
        super().__init__([toy.ToyVideos(length) for length in lengths])


def sampler(monkeypatch, rank=0, world=1, lengths=LENGTHS, shares=SHARES, seed=5, **options):
    monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda: (rank, world))
    return ShareSampler(ToyJoined(lengths), shares, seed=seed, **options)


def epoch_of(joined, epoch, start=0):
    """Pairs of index and pass."""
    joined.set_epoch(epoch)
    joined.start = start
    return [(int(index), getattr(index, 'number', 0)) for index in joined]


def parts_of(indices):
    return np.bincount(np.searchsorted(np.cumsum(LENGTHS), indices, side='right'), minlength=3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(.001, 1000), min_size=1, max_size=8), st.integers(1, 10**7), st.integers(0, 2**63 - 1))
def test_counts_are_the_shares_rounded_down_or_up(weights, total, seed):
    shares = np.array(weights) / sum(weights)
    counts = share_counts(shares, total, seed)
    assert counts.sum() == total and (counts >= 0).all()
    assert (np.abs(counts - total * shares) < 1 + 1e-6).all()


def test_counts_are_exact_in_expectation():
    """Of a share of 2.3 draws three tenths of the epochs have 3: the number of such epochs, by its exact deviation."""
    shares, total, times = np.array([.23, .57, .2]), 10, 4000
    counts = np.array([share_counts(shares, total, seed) for seed in range(times)])
    for mean, share in zip(counts.mean(axis=0), shares):
        up = total * share % 1
        assert abs(mean - total * share) <= 4 * (up * (1 - up) / times)**.5 + 1e-9


def test_an_epoch_has_the_shares_and_a_part_goes_through_its_videos_in_turn(monkeypatch):
    joined, seen, times = sampler(monkeypatch, multiple_of=4), Counter(), 30
    for epoch in range(times):
        pairs = epoch_of(joined, epoch)
        assert len(pairs) == len(joined) == 56 and len(set(pairs)) == 56, 'a video twice with the same views'
        assert (np.abs(parts_of([index for index, _ in pairs]) - 56 * joined.shares) < 1).all()
        seen.update(index for index, _ in pairs)
    for part in (range(5), range(5, 45), range(45, 56)):
        assert max(seen[i] for i in part) - min(seen[i] for i in part) <= 1
    assert abs(parts_of(list(seen.elements())) - times * 56 * joined.shares).max() < times**.5


def test_videos_and_places_are_uniform(monkeypatch):
    """Chi-squared over seeds: which video of a part comes first, and in which third of the epoch the rare part is."""
    first, thirds = Counter(), np.zeros(3)
    for seed in range(300):
        order = [index for index, _ in epoch_of(sampler(monkeypatch, seed=seed), 0)]
        first[next(index for index in order if index < 5)] += 1
        thirds += np.bincount([place // 19 for place, index in enumerate(order[:57]) if index >= 45], minlength=3)
    assert chisquare([first[video] for video in range(5)]).pvalue > 1e-3
    assert chisquare(thirds, thirds.sum() * np.array([19, 19, 18]) / 56).pvalue > 1e-3


@pytest.mark.parametrize('steps', [None, 3, 40])
def test_the_same_for_any_number_of_processes_and_from_inside_an_epoch(monkeypatch, steps):
    whole = [epoch_of(sampler(monkeypatch, multiple_of=8, steps=steps), epoch) for epoch in range(3)]
    assert [len(pairs) for pairs in whole] == [8 * (steps or 7)] * 3 and whole[0] != whole[1]
    for world in (2, 4):
        streams = [epoch_of(sampler(monkeypatch, rank, world, multiple_of=8, steps=steps), 2) for rank in range(world)]
        assert list(chain(*zip(*streams, strict=True))) == whole[2]
        rest = [epoch_of(sampler(monkeypatch, rank, world, multiple_of=8, steps=steps), 2, start=5)
                for rank in range(world)]
        assert list(chain(*zip(*rest, strict=True))) == whole[2][5 * world:]


def test_without_shuffling_videos_come_in_order(monkeypatch):
    joined = sampler(monkeypatch, lengths=(2, 3), shares=(3, 2), shuffle=False, multiple_of=5)
    assert epoch_of(joined, 0) == [(0, 0), (1, 0), (0, 1), (2, 0), (3, 0)]
    assert epoch_of(joined, 1) == [(1, 0), (0, 1), (1, 1), (4, 0), (2, 1)]


@pytest.mark.parametrize('options, sentence', [
    (dict(shares=(1, 2)), r'shares is \(1, 2\): give a number above 0 for each of the 3 parts'),
    (dict(shares=.5), 'shares is 0.5: give'), (dict(shares=('a', 1, 1)), 'give a number above 0'),
    (dict(shares=(1, 0, 1)), 'leave out a part without a share'), (dict(shares=(1, float('nan'), 1)), 'above 0'),
    (dict(steps=0), 'steps is 0: an epoch has at least 1 step'),
    (dict(steps=2.5), 'steps is 2.5: give a whole number'),
    (dict(multiple_of=57), '56 videos, fewer than the global batch of 57')])
def test_what_cannot_be_is_one_sentence(monkeypatch, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        sampler(monkeypatch, **options)
    with pytest.raises(ValueError, match="dataset is a ToyVideos: make it a ConcatDataset"):
        ShareSampler(toy.ToyVideos(), (1, ))


def test_a_run_stopped_inside_an_epoch_shows_what_the_run_never_stopped_shows(tmp_path, caplog):
    """And the plan tells the shares."""
    changes = dict(
        randomness=dict(seed=3), train_cfg=dict(type='GlobalBatchTrainLoop', max_epochs=2, global_batch=4),
        train_dataloader=dict(batch_size=4, num_workers=0, dataset=dict(type='ToyJoined'),
                              sampler=dict(type='ShareSampler', shares=SHARES, steps=5)),
        custom_hooks=[dict(type='TrainingPlanHook'), dict(type='RecordHook')], log_level='INFO')
    changes['default_hooks'] = dict(toy.toy_config(tmp_path)['default_hooks'], checkpoint=dict(
        type='AtomicCheckpointHook', by_epoch=False, interval=1, max_keep_ckpts=-1))
    whole = Runner.from_cfg(Config(toy.toy_config(tmp_path / 'whole', **changes)))
    whole.train()
    log = next((tmp_path / 'whole').glob('*/*.log')).read_text()
    assert 'part 0         60.0% of an epoch from 5 videos (2.4 passes)' in log
    record = torch.load(tmp_path / 'whole' / 'record_0.pt')
    changes['randomness'] = dict(seed=None)
    again = Runner.from_cfg(Config(toy.toy_config(
        tmp_path / 'again', resume=True, load_from=str(tmp_path / 'whole' / 'iter_7.pth'), **changes)))
    again.train()
    assert torch.load(tmp_path / 'again' / 'record_0.pt') == record[7:] and len(record) == 10
