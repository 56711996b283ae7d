"""Long work on many files: several processes, a line now and then on how long it still takes."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from datetime import timedelta
from itertools import islice
from typing import TypeVar

Job, Result = TypeVar('Job'), TypeVar('Result')
_QUEUED = 4  # jobs handed out per process, so that none waits and an interruption loses little


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def run_jobs(function: Callable[[Job], Result], jobs: Iterable[Job], workers: int | None = None) -> Iterator[Result]:
    """Results of `function(job)` as they are ready, in whatever order.

    Args:
        function (Callable): A function of a module, since processes look it up by name. Where Ctrl-C stops it, its
            `finally` still runs.
        jobs (Iterable): Its arguments.
        workers (int, optional): Processes; as many as there are cores by default.

    Raises:
        ChildProcessError: If a process dies, say for want of memory.
    """
    jobs, workers = iter(jobs), workers or num_cores()
    with ProcessPoolExecutor(workers, initializer=_listen) as pool:
        pending = {pool.submit(_work, function, job) for job in islice(jobs, _QUEUED * workers)}
        try:
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                pending |= {pool.submit(_work, function, job) for job in islice(jobs, len(done))}
                yield from (future.result() for future in done)
        except BrokenProcessPool as error:
            raise ChildProcessError('A worker process died (out of memory?): call again, with fewer --workers; what is '
                                    'done is kept.') from error
        finally:
            pool.shutdown(cancel_futures=True)


def _listen() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # of a terminal; of the pool, when another process has ended
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _leave)


def _leave(*_: object) -> None:
    """Ends this process without a word, where a KeyboardInterrupt would print a traceback; once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(1)


def _work(function: Callable[[Job], Result], job: Job) -> Result:
    try:
        return function(job)
    except SystemExit:
        os._exit(1)  # the pool would hand the exception back and go on with the next job


def show_progress(items: Iterable[Job], total: int, unit: str, every: float = 5.) -> Iterator[Job]:
    """Pass the items on and print every so many seconds how far it is and how much time is left.

    Example:
        >>> for result in show_progress(run_jobs(check, paths), len(paths), 'videos checked'):
        ...     ...
          1200 of 13320 videos checked, 0:04:11 left
    """
    start = shown = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - shown >= every and done < total:
            shown = now
            left = timedelta(seconds=round((now - start) / done * (total - done)))
            print(f'  {done} of {total} {unit}, {left} left', flush=True)
