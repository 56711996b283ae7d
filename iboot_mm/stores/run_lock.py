"""One training at a time in a work dir."""

import errno
import fcntl
import logging
import os
import socket
import time
from pathlib import Path
from weakref import WeakValueDictionary

from mmengine.logging import print_log

LOCK = '.training.lock'
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)  # of file systems that have none


class RunLock:
    """Keeps other trainings out of a folder as long as it is held and this process lives.

    A POSIX record lock: the kernel lets go of it when the process ends, however it ends, so a stale one blocks nobody;
    forked workers do not hold it, as they would that of filelock, in which it outlives a process that was killed. NFS
    passes it on to the server (version 4, or 3 with its lock daemon), which lets go when a client is gone. See
    :func:`lock_run`.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = open(folder / LOCK, 'a+')
        try:
            fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN, *NO_LOCKS):
                raise
            self.file.seek(0)
            holder = self.file.read(200).strip() or 'another process'
            self.file.close()
            if error.errno in NO_LOCKS:
                print_log(f'The file system of {folder} has no locks ({error.strerror}): do not start a second '
                          'training there.', logger='current', level=logging.WARNING)
                return
            raise RuntimeError(f'{folder} is in use by {holder}: wait for it, stop it, or give another '
                               '--work-dir') from None
        self.file.truncate(0)
        self.file.write(f'process {os.getpid()} on {socket.gethostname()}, since {time.strftime("%F %T")}\n')
        self.file.flush()


_held: WeakValueDictionary[str, RunLock] = WeakValueDictionary()


def lock_run(folder: str | Path) -> RunLock:
    """Takes the lock of a work dir, or the one that this process holds already.

    Of several processes of one run, the first takes it. Whoever keeps what is returned holds the lock.

    Raises:
        RuntimeError: another process trains there; says which.
    """
    path = Path(folder).resolve()
    lock = _held.get(str(path))
    if lock is None:
        lock = _held[str(path)] = RunLock(path)
    return lock
