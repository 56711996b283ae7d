"""Arrays of numbers in ``.npy`` files, looked at before they are read."""

import math
import os
from pathlib import Path

import numpy as np


def array_header(path: str | Path, advice: str = '') -> tuple[tuple[int, ...], np.dtype, int]:
    """Shape, type and first byte of the values of a ``.npy`` file of numbers.

    Args:
        path: The file.
        advice: What to do about one that is damaged, for the error.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is no such file, holds objects (which are code), is cut off, or says to hold more than it does.
    """
    try:
        with open(path, 'rb') as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, transposed, dtype = read(file)
            start = file.tell()
    except FileNotFoundError:
        raise
    except Exception as error:  # bytes that are no header make the parser fail in any way
        reason = ' '.join(str(error).split())[:200]
        raise ValueError(f"'{path}' is damaged or no array ({reason}){f': {advice}' if advice else ''}") from None
    stated = math.prod(shape) * dtype.itemsize
    if dtype.kind not in 'fiu' or transposed or min(shape, default=0) < 0:
        reason = f'{dtype} is no type of numbers' if dtype.kind not in 'fiu' else f'it has the shape {shape}'
    elif os.path.getsize(path) - start != stated:
        reason = f'it holds {os.path.getsize(path) - start} bytes of the {stated} that it states'
    else:
        return shape, dtype, start
    raise ValueError(f"'{path}' is damaged or no array ({reason}){f': {advice}' if advice else ''}")
