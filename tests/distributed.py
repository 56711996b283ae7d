"""Runs a function in several gloo processes."""

import os
import socket
from collections.abc import Callable
from unittest.mock import patch

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from .processes import clean_processes


def run_in_processes(function: Callable, world_size: int, *args: object) -> None:
    """Calls ``function(rank, world_size, *args)`` in ``world_size`` processes of one gloo group.

    They are forked from a process that does nothing but import what all tests import, once for all of them: as clean as
    new ones, which would take seconds each to import it. Their environment is that of the first call.
    """
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        port = sock.getsockname()[1]
    clean_processes()
    # Threads of several processes that wait for each other in a loop can keep two busy cores from any progress.
    with patch.dict(os.environ, OMP_NUM_THREADS='1'):
        mp.start_processes(_start, (function, world_size, port, args), world_size, start_method='forkserver')


def _start(rank: int, function: Callable, world_size: int, port: int, args: tuple) -> None:
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port), RANK=str(rank), LOCAL_RANK=str(rank),
                      WORLD_SIZE=str(world_size))
    torch.set_num_threads(1)
    dist.init_process_group('gloo', rank=rank, world_size=world_size)
    try:
        function(rank, world_size, *args)
    finally:
        dist.destroy_process_group()
