"""Memory of a process that computes on a CPU."""

import ctypes
import os
import sys

# Parameters of glibc's mallopt(3).
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_freed_memory() -> bool:
    """Lets this process keep the memory that its tensors free, for the next ones.

    By itself, glibc gives every large tensor back to the system and gets it anew, page by page and zeroed, several
    hundred times a training step.

    Returns:
        Whether it does: not where an environment variable ``MALLOC_...`` has decided already, nor without glibc.
    """
    if not sys.platform.startswith('linux') or any(name.startswith('MALLOC_') for name in os.environ):
        return False
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    return mallopt is not None and bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, -1))
