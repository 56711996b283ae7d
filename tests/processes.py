"""Processes that have imported everything: a new Python takes seconds of computing for that."""

import ctypes
import logging
import multiprocessing
import os
import runpy
import socket
import subprocess
import sys
import tempfile
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]


def clean_processes() -> ForkServerContext:
    """Makes processes by forking one that does nothing but import what all tests import, once for all of them.

    They are as clean as new ones. Their environment is that of the first call.
    """
    multiprocessing.set_forkserver_preload(['tests.conftest'])
    return multiprocessing.get_context('forkserver')


def start_script(log: Path, script: str | Path, *arguments: object,
                 env: dict[str, str] | None = None) -> ForkServerProcess:
    """Starts ``python SCRIPT ARGUMENTS`` in the checkout, in a process of its own that prints to ``log``."""
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': '-1', **(env or {})}
    process = clean_processes().Process(target=_run, args=(str(log), [str(script), *map(str, arguments)], environment))
    process.start()
    return process


def run_script(script: str | Path, *arguments: object,
               env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    """The same to its end; exit status, of a signal below 0, and all that was printed."""
    with tempfile.TemporaryDirectory() as folder:
        process = start_script(log := Path(folder, 'log'), script, *arguments, env=env)
        process.join(240)
        if process.exitcode is None:
            process.kill()
        return subprocess.CompletedProcess(arguments, process.exitcode, log.read_text())


def free_port() -> int:
    """A port of this machine that nothing listens to."""
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


def torchrun_of(folder: Path, *command: object, **env: object) -> list[str]:
    """What a shell command that starts processes calls Python with: torchrun's script and its arguments.

    But torchrun will fork the processes; new ones would import everything anew.

    Args:
        folder: Takes a stand-in for Python, which prints how it is called.
        command: The shell command.
        env: Its environment variables beside those that are there.
    """
    (prints := folder / 'prints').write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    prints.chmod(0o755)
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'PORT': free_port(), **env, 'PYTHON': prints}
    printed = subprocess.run([str(word) for word in command], cwd=ROOT, text=True, check=True, stdout=subprocess.PIPE,
                             env={name: str(value) for name, value in environment.items()}).stdout
    torchrun, *words = printed.splitlines()
    script = next(place for place, word in enumerate(words) if not word.startswith('--'))
    return [torchrun, '--run_path', '--start_method=fork', *words[:script], __file__, *words[script:]]


def _run(log: str, command: list[str], environment: dict[str, str]) -> None:
    file = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(file, stream.fileno())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    torch.set_num_threads(1)
    sys.argv = command
    sys.path.insert(0, os.path.dirname(os.path.abspath(command[0])))
    runpy.run_path(command[0], run_name='__main__')


def _run_as_started() -> None:
    """Runs a script in a process that torchrun forked as in one that it starts: no heir of what torchrun has set."""
    logging.disable(logging.NOTSET)
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(1, 0)  # PR_SET_PDEATHSIG, a signal when torchrun is gone
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name='__main__')


if __name__ == '__main__':
    _run_as_started()
