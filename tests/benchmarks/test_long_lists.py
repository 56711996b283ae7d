"""The benchmark of long lists starts ranks and counts what they share once."""

import multiprocessing
import os
from argparse import Namespace

import long_lists
import numpy as np
import pytest

from iboot_mm.datasets import long_lists as lists


class Waits:
    """A barrier of one."""

    def __init__(self) -> None:
        self.count = 0

    def wait(self) -> None:
        self.count += 1


@pytest.mark.parametrize('kind', ['VideoFolder', 'ShotFolder'])
def test_a_rank_takes_its_batches_of_a_long_list(tmp_path, monkeypatch, kind):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    monkeypatch.setattr(lists, 'LONG', 0)
    long_lists.write_lists(tmp_path, 100)
    barrier = Waits()
    long_lists.run_rank(kind, str(tmp_path), 0, Namespace(ranks=1, workers=0), barrier)
    assert barrier.count == 4 and list((tmp_path / 'cache/iboot_mm').glob('*.arrow'))


def _hold(shared: np.ndarray, barrier) -> None:
    own = np.ones(2**26, np.uint8)
    assert shared.sum() == own.sum() == 2**26
    barrier.wait()
    barrier.wait()


def test_shared_pages_count_once():
    """Three processes with 64 MiB each and 64 MiB of all, of which this one has a quarter."""
    context = multiprocessing.get_context('fork')
    shared, barrier = np.ones(2**26, np.uint8), context.Barrier(4)
    children = [context.Process(target=_hold, args=(shared, barrier)) for _ in range(3)]
    idle = long_lists.pss({os.getpid()})
    for child in children:
        child.start()
    barrier.wait()
    grown = long_lists.pss({os.getpid()}) - idle
    barrier.wait()
    for child in children:
        child.join()
    assert 3 / 16 < grown < 5 / 16  # GiB; a copy for each were 6 / 16
