import os
import time

import pytest

from iboot_mm.datasets import parallel
from iboot_mm.datasets.parallel import run_jobs, show_progress


def square(number: int) -> int:
    if number == 7:
        raise ValueError('seven')
    return number * number


def test_every_job_is_done_once():
    assert sorted(run_jobs(square, (n for n in range(8, 60)), 2)) == [n * n for n in range(8, 60)]
    assert list(run_jobs(square, [], 1)) == []


def test_an_error_ends_it():
    with pytest.raises(ValueError, match='seven'):
        list(run_jobs(square, range(100), 1))


def die(number: int) -> int:
    os._exit(1)


def test_a_dead_process_ends_it():
    with pytest.raises(ChildProcessError, match='A worker process died .*fewer --workers'):
        list(run_jobs(die, range(3), 1))


def test_progress_says_what_is_left(capsys, monkeypatch):
    clock = iter(range(0, 1000, 30))
    monkeypatch.setattr(parallel, 'time', type('Clock', (), dict(monotonic=lambda: next(clock))))
    assert list(show_progress('abcd', 4, 'letters', every=50)) == list('abcd')
    # The start and each item take 30 s: after the second item, 60 s for two.
    assert capsys.readouterr().out == '  2 of 4 letters, 0:01:00 left\n'


def test_quick_work_prints_nothing(capsys):
    start = time.monotonic()
    list(show_progress(range(1000), 1000, 'numbers'))
    assert time.monotonic() - start < 5 and capsys.readouterr().out == ''
