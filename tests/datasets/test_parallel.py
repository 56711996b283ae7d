import multiprocessing
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from iboot_mm.datasets import parallel
from iboot_mm.datasets.parallel import run_jobs, show_progress
from iboot_mm.interruption import one_line_when_stopped


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


def begin(folder: Path, number: int) -> None:
    (folder / f'{number}.begun').touch()
    try:
        time.sleep(60)
    finally:
        (folder / f'{number}.cleared').touch()


def command(folder: Path, jobs: int) -> None:
    os.setsid()
    sys.stderr = open(folder / 'printed', 'w', buffering=1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with one_line_when_stopped():
        list(run_jobs(partial(begin, folder), range(jobs), 2))


@pytest.mark.parametrize('jobs', [1, 8])  # of two processes one waits, or none
def test_control_c_ends_all_processes_without_a_trace(tmp_path, jobs):
    process = multiprocessing.get_context('fork').Process(target=command, args=(tmp_path, jobs))
    process.start()
    while len(list(tmp_path.glob('*.begun'))) < min(jobs, 2):
        time.sleep(.01)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    process.join(20)
    assert process.exitcode == 1
    assert (tmp_path / 'printed').read_text() == '\nStopped. The same command goes on from here.\n'
    assert sorted(path.stem for path in tmp_path.glob('*.*')) == sorted(2 * ['0', '1'][:jobs])
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


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
