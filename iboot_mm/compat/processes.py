"""Faults of mmengine in runs of several processes."""

import atexit
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from .replacing import replace


def apply() -> None:
    """Mends what is below, each only where it is present."""
    start_groups_on_cpu()
    keep_activations_in_sync_bn()
    write_test_results_once()
    end_with_the_launcher()


def start_groups_on_cpu() -> None:
    """mmengine <= 0.10.7: processes cannot be started without a GPU, because each one selects a CUDA device first.

    Where there is no CUDA device, the selection is left out and the backend is gloo, whatever the config says. And the
    group is left when the process ends: mmengine never does, and gloo's threads then abort a process now and then. NPU,
    MLU and MUSA have their own branch upstream. No date to go.
    """
    import torch
    from mmengine.device import get_device
    from mmengine.dist import utils

    @contextlib.contextmanager
    def no_cuda_device() -> Iterator[None]:
        original = torch.cuda.set_device
        torch.cuda.set_device = lambda device: None
        try:
            yield
        finally:
            torch.cuda.set_device = original

    def make(original: Callable) -> Callable:
        def init_dist(backend: Any, *args: Any, **kwargs: Any) -> Any:
            if get_device() not in ('cpu', 'mps'):
                return original(backend, *args, **kwargs)
            with no_cuda_device():
                original('gloo', *args, **kwargs)
            atexit.register(leave_group)
        return init_dist

    def leave_group() -> None:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()

    for name in ('_init_dist_pytorch', '_init_dist_mpi', '_init_dist_slurm'):
        replace(utils, name, make)


def keep_activations_in_sync_bn() -> None:
    """mmengine (all versions): ``sync_bn = 'torch'`` drops the ReLU of timm's BN without a word, and so does the way
    back, which a single process and a CPU take.

    timm's BN holds its activation as a child, which becomes one of a plain SyncBN that does not call it. No date to go.
    """
    import mmengine.model
    import mmengine.runner.runner
    from mmengine.model import utils
    from timm.layers import BatchNormAct2d
    from timm.layers.norm_act import SyncBatchNormAct
    from torch import nn

    def make(plain: type, calling: type) -> Callable:
        def make_one(original: Callable) -> Callable:
            def convert(module: Any, *args: Any, **kwargs: Any) -> Any:
                converted = original(module, *args, **kwargs)
                for part in converted.modules():
                    if type(part) is plain and hasattr(part, 'act'):
                        part.__class__ = calling
                return converted
            return convert
        return make_one

    for name, types_ in (('convert_sync_batchnorm', (nn.SyncBatchNorm, SyncBatchNormAct)),
                         ('revert_sync_batchnorm', (utils._BatchNormXd, BatchNormAct2d))):
        replace(utils, name, make(*types_))
        for module in (mmengine.model, mmengine.runner.runner):
            setattr(module, name, getattr(utils, name))


def write_test_results_once() -> None:
    """mmengine 0.10.7: after a test, each process writes the results to the same JSON file.

    The processes' timings differ in length, so the file at times ends in the tail of another's text and cannot be
    parsed. No date to go.
    """
    from mmengine.dist import master_only
    from mmengine.hooks import logger_hook

    replace(logger_hook, 'dump', master_only)


def end_with_the_launcher() -> None:
    """torchrun (all versions): killed with ``kill -9``, it leaves its processes training alone, to the end.

    The same command again then trains a second time beside them. Each looks every second whether it is still
    torchrun's child; srun and mpirun end their processes themselves. No date to go.
    """
    from mmengine.dist import utils

    def make(original: Callable) -> Callable:
        def init_dist(*args: Any, **kwargs: Any) -> None:
            original(*args, **kwargs)
            if 'TORCHELASTIC_RUN_ID' in os.environ:
                threading.Thread(target=_watch, args=(os.getppid(), ), daemon=True).start()
        return init_dist

    if not hasattr(utils._init_dist_pytorch, '_watches'):
        original = utils._init_dist_pytorch
        utils._init_dist_pytorch = make(original)
        utils._init_dist_pytorch._iboot_mm = utils._init_dist_pytorch._watches = True


def _watch(launcher: int) -> None:
    while os.getppid() == launcher:
        time.sleep(1)
    print('torchrun is gone: this process stops, too; --resume goes on from the last checkpoint.', file=sys.stderr,
          flush=True)
    os._exit(1)  # whatever the other threads wait for
