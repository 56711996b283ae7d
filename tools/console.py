"""Runs the project's commands for those tools that call others, and prints their progress in short.

Needs nothing but Python's standard library: the quickstart starts before anything is installed.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None) if sys.platform == 'linux' else None  # before any fork, after which nothing is to be loaded
PR_SET_PDEATHSIG = 1  # sys/prctl.h
ROOT = Path(__file__).resolve().parents[1]
# Where commands run: the configs of a checkout name its own data/; in the wheel there is none, and data/ is the user's.
WORKPLACE = ROOT if (ROOT / 'setup.py').is_file() else Path.cwd()
# The pre-training methods and their configs for the moving digits; two of them need an image model.
MINI = ROOT / 'configs' / 'mini'
METHODS = {file.name.partition('_')[0]: file for file in sorted(MINI.glob('*_digits.py'))}
METHODS['advise'] = MINI / 'advise_tmm_digits_cached.py'  # live, a run takes ten times as long on two cores
METHODS['vivi'] = MINI / 'vivi_ex4_digits.py'  # of several
WITH_TEACHER = ('advise', 'iboot')
TRAIN_LINE = re.compile(r'Epoch\(train\) *\[(\d+)\]\[ *(\d+)/(\d+)\].*? eta: (\S+).*? loss: (\S+)')
VAL_LINE = re.compile(r'Epoch\(val\) *\[(\d+)\].*?((?:\S*knn_top1|feature_spread|rate/top1): .*?)(?:  data_time|$)')
TEST_LINE = re.compile(r'Epoch\(test\) *\[ *(\d+)/(\d+)\].*? eta: (\S+)')
# glibc gives every large tensor back to the system at once and gets it anew, page by page: on a CPU a convolutional
# teacher spends more time on that than on arithmetic (measured: 1.9 s a batch against .7 s).
CHILD_ENV = dict(PYTHONUNBUFFERED='1', MALLOC_MMAP_THRESHOLD_=str(1 << 30), MALLOC_TRIM_THRESHOLD_=str(1 << 33))
# torchrun prints dozens of lines after an error of one of its processes, and an error of its own without a word.
ERROR_LINE = re.compile(r'(?:\[rank\d+\]: )?(?:\w+\.)*(\w+Error: \S.*)')
ALARM_LINE = re.compile(r'mmengine - (?:WARNING|ERROR) - (.*(?:alarm|not be read|unreadable|NaN|gallery holds).*)')


class Stages:
    """Numbers the stages and says how long each took."""

    def __init__(self, total: int) -> None:
        self.total, self.number = total, 0
        self.start = time.time()

    def begin(self, title: str) -> None:
        """Prints the title of the next stage."""
        self.number += 1
        print(f'[{self.number}/{self.total}] {title}  (at {clock(time.time() - self.start)})', flush=True)


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f'{int(seconds) // 60}:{int(seconds) % 60:02d}'


def run(command: list, log: Path, show: Callable[[str], str | None], env: dict[str, str] | None = None,
        cwd: Path = WORKPLACE) -> None:
    """Runs a command, all of its output into ``log``, and prints what ``show`` makes of its lines.

    Raises:
        SystemExit: it failed; its last lines are printed, and then its error. Or this process was told to stop, and
            the command with it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    last, reason = deque(maxlen=25), ''
    for number in (signal.SIGTERM, signal.SIGHUP):  # the command must not go on alone
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    with log.open('a') as file:
        process = subprocess.Popen(
            [str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd,
            env={**CHILD_ENV, **os.environ, **(env or {})}, start_new_session=True,  # Ctrl-C comes from stop(), once
            preexec_fn=end_with_the_caller)
        try:
            for line in process.stdout:
                file.write(line)
                last.append(line)
                if found := ERROR_LINE.match(line):
                    reason = f'\n{found[1]}'
                if (text := show(line.rstrip())) is not None:
                    print(f'  {text}', flush=True)
        except KeyboardInterrupt:
            stop(process)
            sys.exit('\nStopped. The same command goes on from here.')
    if process.wait():
        print(''.join(last), file=sys.stderr)
        sys.exit(f'That failed (exit status {process.returncode}); the whole output is in {log}.{reason}')


def end_with_the_caller() -> None:
    """Called in a command's process before the command: it can be interrupted, and ends when its caller is gone.

    A shell's background jobs ignore interrupts, and so would what they start. That the caller is gone, even by
    ``kill -9``, only Linux tells.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def stop(process: subprocess.Popen) -> None:
    """Interrupts a command, which may write what it has; a second Ctrl-C, or a minute, ends it at once."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=60)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def quiet(line: str) -> str | None:
    """Shows what a tool prints itself, not the warnings of libraries."""
    return None if not line or 'Warning' in line or line.startswith('  warnings.warn') else line.removeprefix('  ')


def show_training(line: str) -> str | None:
    """mmengine's log in short."""
    if match := TRAIN_LINE.search(line):
        epoch, step, steps, left, loss = match.groups()
        return f'epoch {epoch}, step {step:>3} of {steps}: loss {float(loss):.3f}, {left} left'
    if match := VAL_LINE.search(line):
        return f'epoch {match[1]}, evaluation: {match[2].strip()}'
    if match := TEST_LINE.search(line):
        done, total, left = match.groups()
        return f'test batch {done} of {total}, {left} left'
    if match := ALARM_LINE.search(line):
        return match[1]
    return None


def paced(show: Callable[[str], str | None], every: float = 2.) -> Callable[[str], str | None]:
    """``show`` without the training steps that come sooner than so many seconds: an epoch may be a single one."""
    last = -every

    def show_some(line: str) -> str | None:
        nonlocal last
        text = show(line)
        if text is not None and TRAIN_LINE.search(line):
            if time.monotonic() - last < every:
                return None
            last = time.monotonic()
        return text
    return show_some
