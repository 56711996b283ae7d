"""How a training or a test that cannot go on ends: in one sentence."""

import errno
import logging
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from mmengine.dist import get_world_size, is_main_process
from mmengine.runner import find_latest_checkpoint

from ..compat import UnusableCheckpoint
from ..compat.data_loading import SharedMemoryError

# A full disk, or a file or folder that is not this user's.
CANNOT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR,
                errno.EEXIST)

PACKAGE = Path(__file__).resolve().parents[1]


@contextmanager
def ends_in_a_sentence(work_dir: str, what: str) -> Iterator[None]:
    """Ends this process with one sentence and status 1 at Ctrl-C, a full disk and the like, without a traceback.

    The like is whatever this user may not read or write, and what was given and is refused.

    Of several processes the first one tells of Ctrl-C, and whichever meets another fault of that. A log that cannot be
    written ends the run, too: ``logging`` would print a traceback for each line and go on to a checkpoint that cannot
    be written either.

    Args:
        work_dir: Folder of the run.
        what: What is stopped: ``training`` or ``test``.
    """
    try:
        with patch.object(logging.FileHandler, 'handleError', _raise_if_unwritten):
            yield
    except BaseException as error:
        # mmengine catches everything where it formats a config, and raises something else.
        if isinstance(error, KeyboardInterrupt) or isinstance(error.__context__, KeyboardInterrupt):
            _leave(f'Stopped: {what} goes on from {_last(work_dir)}.' if is_main_process() else '')
        if isinstance(error, OSError) and error.errno in CANNOT_WRITE:
            place = error.filename or work_dir
            do = (('read', 'have it made readable for this user') if os.path.exists(place) and not _is_readable(place)
                  else ('written', 'make room or name another --work-dir'))
            _leave(f'{place} cannot be {do[0]} ({error.strerror}), and {what} stopped: {do[1]}; it goes on from '
                   f'{_last(work_dir)}.')
        if isinstance(error, (SharedMemoryError, UnusableCheckpoint)):
            _leave(f'{error}.')
        if is_refusal(error):
            _leave(f'{error}'.rstrip('.') + _keep_traceback(error, work_dir))
        raise


def is_refusal(error: BaseException) -> bool:
    """Whether an error is a sentence of ours on what was given: raised on purpose, or by an argument that is none.

    Where code of others, or a fault of ours, raises, the way there matters, and the traceback is shown.
    """
    if isinstance(error, TypeError):
        return 'got an unexpected keyword argument' in str(error)
    if not isinstance(error, (ValueError, FileNotFoundError)) or error.__traceback__ is None:
        return False
    last = traceback.extract_tb(error.__traceback__)[-1]
    return Path(last.filename).is_relative_to(PACKAGE) and (last.line or '').startswith('raise ')


def _keep_traceback(error: BaseException, work_dir: str) -> str:
    """Writes down where an error came from, if it can be written; the end of the sentence."""
    file = Path(work_dir, 'error.txt')
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(''.join(traceback.format_exception(error)))
    except OSError:
        return '.'
    return f' (where: {file}).'


def _last(work_dir: str) -> str:
    checkpoint = find_latest_checkpoint(work_dir) if os.path.isdir(work_dir) else None
    return f'{checkpoint} with --resume' if checkpoint else 'the start, since there is no checkpoint yet'


def _is_readable(place: str) -> bool:
    return os.access(place, os.R_OK | os.X_OK if os.path.isdir(place) else os.R_OK)


def _leave(words: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # torchrun hands on what the terminal has sent already
    if words:
        print(f'\n{words}', file=sys.stderr, flush=True)
    if get_world_size() > 1:
        os._exit(1)  # leaving the group would wait for the others
    sys.exit(1)


def _raise_if_unwritten(handler: logging.Handler, record: logging.LogRecord) -> None:
    error = sys.exc_info()[1]
    if isinstance(error, OSError) and error.errno in CANNOT_WRITE:
        raise error
    logging.Handler.handleError(handler, record)
