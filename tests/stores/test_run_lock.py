"""Two trainings never share a work dir, and a dead one blocks nobody."""

import errno
import fcntl
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from iboot_mm.stores.run_lock import LOCK, lock_run

from ..engine import toy

HOLD = """import fcntl, sys, time
file = open(sys.argv[1], 'a+')
fcntl.lockf(file, fcntl.LOCK_EX)
file.write('process 7 on node3\\n')
file.flush()
print('held', flush=True)
time.sleep(60)
"""


@pytest.fixture
def held(tmp_path):
    """A folder in which another process trains; the process."""
    holder = subprocess.Popen([sys.executable, '-c', HOLD, tmp_path / LOCK], stdout=subprocess.PIPE, text=True)
    holder.stdout.readline()
    yield tmp_path, holder
    holder.kill()
    holder.wait()


def test_a_second_training_is_refused_until_the_first_is_gone(held):
    folder, holder = held
    for _ in range(2):
        with pytest.raises(RuntimeError, match=rf'{folder} is in use by process 7 on node3: wait for it, stop') as stop:
            lock_run(folder)
    assert '\n' not in str(stop.value)
    runner = Runner.from_cfg(Config(toy.toy_config(folder)))
    (folder / 'epoch_1.pth.part').write_bytes(b'being written')
    with pytest.raises(RuntimeError, match='is in use by'):
        runner.train()
    assert (folder / 'epoch_1.pth.part').exists()
    runner.test()  # reads only
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    runner = Runner.from_cfg(Config(toy.toy_config(folder)))
    runner.train()
    assert (folder / 'epoch_3.pth').exists()


def test_one_process_may_hold_it_twice_and_workers_do_not(tmp_path):
    first, second = lock_run(tmp_path), lock_run(f'{tmp_path}/')
    assert first is second
    probe = ('import fcntl, sys; file = open(sys.argv[1], "r+"); print(file.read())\n'
             'fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)')  # in this process, closing the file would free it
    attempt = lambda: subprocess.run([sys.executable, '-c', probe, tmp_path / LOCK], capture_output=True, text=True)
    refused = attempt()
    assert refused.returncode == 1 and f'process {os.getpid()} on' in refused.stdout
    worker = multiprocessing.get_context('fork').Process(target=time.sleep, args=(60, ))
    worker.start()
    del first, second
    gc.collect()
    assert attempt().returncode == 0
    worker.kill()
    worker.join()


def test_without_locks_it_is_told(tmp_path, monkeypatch, capsys):
    def no_locks(*args):
        raise OSError(errno.ENOLCK, 'No locks available')

    monkeypatch.setattr(fcntl, 'lockf', no_locks)
    lock_run(tmp_path)
    assert 'has no locks (No locks available): do not start a second training there' in capsys.readouterr().out


def test_the_launcher_refuses_before_it_writes(held, monkeypatch):
    from ..scripts import load_tool
    folder, _ = held
    before = sorted(Path(folder).iterdir())
    with pytest.raises(SystemExit, match='is in use by process 7 on node3'):
        load_tool('train').hold_work_dir(str(folder))
    for rank in ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK'):  # another process than the first
        with monkeypatch.context() as patch:
            patch.setenv(rank, '1')
            assert load_tool('train').hold_work_dir(str(folder)) is None
    assert sorted(Path(folder).iterdir()) == before
