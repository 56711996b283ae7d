"""The arithmetic of the batch plan."""

import re

import pytest

from iboot_mm.engine.batch_plan import BatchPlan, check_use, plan_batch, whole_batch_splits


@pytest.mark.parametrize('global_batch, processes, most, per_process, accumulation', [
    (416, 32, 13, 13, 1),   # the paper
    (416, 8, 52, 52, 1),
    (416, 8, 32, 26, 2),    # 52 per process: the largest divisor up to 32
    (416, 1, 16, 16, 26),   # one 24 GB GPU
    (416, 1, 15, 13, 32),
    (104, 8, 13, 13, 1),
    (104, 8, 12, 1, 13),    # 13 is a prime: no other split fits
    (416, 16, 100, 26, 1),  # never more than the batch
    (5, 5, 8, 1, 1),
])
def test_splits(global_batch, processes, most, per_process, accumulation):
    plan = plan_batch(global_batch, processes, most)
    assert plan == BatchPlan(processes, per_process, accumulation)
    assert plan.global_batch == global_batch and plan.together == processes * per_process


def test_best_of_all_splits():
    for global_batch in range(1, 60):
        for processes in range(1, global_batch + 1):
            for most in (1, 3, 7, 64):
                if global_batch % processes:
                    with pytest.raises(ValueError, match=f'split over {processes} processes: start'):
                        plan_batch(global_batch, processes, most)
                    continue
                fits = [b for b in range(1, most + 1) if global_batch % (processes * b) == 0]
                assert plan_batch(global_batch, processes, most).per_process == max(fits)


def test_what_to_set_when_it_cannot_be_split():
    with pytest.raises(ValueError, match='416 videos cannot be split over 6 processes: start 4, or pass --auto-scale'):
        plan_batch(416, 6, 16)
    with pytest.raises(ValueError, match='must all be whole numbers of at least 1'):
        plan_batch(416, 8, 0)
    with pytest.raises(ValueError, match='global_batch=416.5, 8 processes .* must all be whole numbers'):
        plan_batch(416.5, 8, 16)
    with pytest.raises(ValueError, match="batch_size='16' must all be whole numbers"):
        plan_batch(416, 8, '16')


@pytest.mark.parametrize('global_batch, processes, most, named', [
    (104, 8, 12, ['of the 12 videos', 'uses 1 at a time, 13 times a step', 'batch_size=13 if', 'start 13 processes',
                  'for a batch of 96', 'with train_dataloader.batch_size=1$']),
    (416, 8, 12, ['uses 4 at a time', 'batch_size=13 if', r'\(13 x 8 x 4\)', 'batch_size=4$']),
    (7, 1, 3, ['uses 1 at a time', 'batch_size=7 if'])])
def test_a_split_that_leaves_most_of_a_process_empty_is_asked_for(global_batch, processes, most, named):
    plan = plan_batch(global_batch, processes, most)
    for words in named:
        with pytest.raises(ValueError, match=words):
            check_use(plan, most)
    check_use(plan, plan.per_process)


def test_every_split_is_refused_or_uses_half_of_what_fits():
    for global_batch in range(1, 60):
        for processes in (n for n in range(1, 9) if global_batch % n == 0):
            for most in range(1, 70):
                plan = plan_batch(global_batch, processes, most)
                fits = min(most, global_batch // processes)
                try:
                    check_use(plan, most)
                    assert 2 * plan.per_process >= fits
                except ValueError as error:
                    assert 2 * plan.per_process < fits
                    larger = int(re.search(r'batch_size=(\d+) if', str(error))[1])
                    assert plan_batch(global_batch, processes, larger).per_process == larger > most


def test_whole_batch_splits():
    assert whole_batch_splits(416) == ['32 x 13', '8 x 52']
    assert whole_batch_splits(104) == ['8 x 13']
    assert whole_batch_splits(7) == []


def test_printed():
    assert str(BatchPlan(8, 26, 2)).startswith('8 x 26 x 2 = 416 videos per step')
