"""Faults of mmengine in reading checkpoints on today's PyTorch."""

import functools
import pickle
import re
from pathlib import Path
from typing import Any

from .archives import UnusableCheckpoint, check_archive, check_tensors, check_weights
from .replacing import mended
from .resuming import without_code


def apply() -> None:
    """Mends what is below, each only where it is present."""
    allow_history_buffers()
    explain_refused_checkpoints()


def allow_history_buffers() -> None:
    """mmengine 0.10.7 on torch >= 2.6: resuming fails, because ``torch.load`` defaults to ``weights_only``.

    mmengine pickles its loss history as ``HistoryBuffer`` objects, whose arrays need numpy's constructors and
    whose method tables are pickled through ``getattr``. These are declared safe; ``getattr`` itself never is, since a
    crafted file reaches module globals with it: a stand-in answers only for HistoryBuffer's own methods. Goes when
    mmengine stores plain data.
    """
    import numpy as np
    import torch
    from mmengine.logging import HistoryBuffer

    def history_buffer_getattr(owner: Any, name: Any) -> Any:
        if owner is HistoryBuffer and name in ('min', 'max', 'current', 'mean'):
            return getattr(owner, name)
        raise pickle.UnpicklingError(f'a checkpoint asked for the attribute {name!r} of {owner!r}: only the statistics '
                                     'of HistoryBuffer may be restored from a file')

    multiarray = (np._core if hasattr(np, '_core') else np.core).multiarray  # numpy 2 renamed the module
    torch.serialization.add_safe_globals([
        HistoryBuffer, multiarray._reconstruct, multiarray.scalar, np.ndarray, np.dtype, np.dtypes.Float64DType,
        np.dtypes.Float32DType, np.dtypes.Int64DType, np.dtypes.BoolDType,
        (history_buffer_getattr, 'builtins.getattr')])


_last_loaded = 'the checkpoint'  # mmengine hands weights on without the name of their file


def last_loaded() -> str:
    """The file that mmengine read last."""
    return _last_loaded


def explain_refused_checkpoints() -> None:
    """torch >= 2.6 through mmengine 0.10.7: a file that holds code, or half a file, fails with a page of advice.

    One sentence names the file instead, also where torch would take damaged weights without a word, see
    :mod:`.archives`. Goes when mmengine reports it.
    """
    import torch
    from mmengine.runner.checkpoint import CheckpointLoader

    original = CheckpointLoader.load_checkpoint.__func__
    if mended(original):
        return

    @functools.wraps(original)
    def load_checkpoint(cls: Any, filename: Any, *args: Any, **kwargs: Any) -> Any:
        global _last_loaded
        _last_loaded = str(filename)
        local = Path(str(filename))
        try:
            if local.is_file():
                check_archive(local)
            content = original(cls, filename, *args, **kwargs)
            if local.is_file():
                check_tensors(content, local)
            check_weights(content, filename)
            return without_code(content)
        except (MemoryError, torch.OutOfMemoryError, PermissionError):
            raise
        except Exception as error:  # bytes that are no checkpoint make the reader fail in any way
            code = re.search(r'GLOBAL \S+|a checkpoint asked for[^:]+', str(error))
            if isinstance(error, pickle.UnpicklingError) and code:
                raise UnusableCheckpoint(
                    f'{filename} was not loaded: it holds more than weights and plain data, and could run code '
                    f'({code.group()}); use a file that was saved as a state_dict') from None
            if isinstance(error, ValueError) and str(filename) in str(error):
                raise UnusableCheckpoint(str(error)) from None
            if local.exists():
                raise UnusableCheckpoint(f'{filename} is {"a folder" if local.is_dir() else "cut off"} or no torch '
                                   'checkpoint: fetch it again, or resume from an earlier one') from None
            raise

    load_checkpoint._iboot_mm = True
    CheckpointLoader.load_checkpoint = classmethod(load_checkpoint)
