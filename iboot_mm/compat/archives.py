"""What torch leaves unchecked in a file that it reads: the archive's own digests, and the sizes that it states.

``torch.save`` writes a zip archive with a CRC-32 of every record; ``torch.load`` looks at none of them, and takes
compressed records and tensors of any stated size as well. Goes when ``torch.load`` does this itself.
"""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import torch

CHUNK = 1 << 20  # bytes
# A file whose tensors share memory states more than it holds: tied weights, halves that become float32.
MOST_STATED, SMALL = 4, 1 << 24  # times the size of the file, and bytes besides


class UnusableCheckpoint(RuntimeError, ValueError):
    """A file of weights that can not be taken; its message is one sentence that names it."""


def check_archive(path: str | Path) -> None:
    """Compares a file of ``torch.save`` with the CRC-32 in it; nothing of it is unpacked.

    Files of before torch 1.6, and those saved without digests (``torch.serialization.set_crc32_options``), have none.

    Raises:
        ValueError: it was damaged or cut off since it was written, holds a program, or takes more room than its size.
    """
    with open(path, 'rb') as file:
        if file.read(4) != b'PK\x03\x04':
            return
    try:
        with zipfile.ZipFile(path) as archive:
            records = archive.infolist()
            if any(record.filename.endswith('/constants.pkl') for record in records):
                raise ValueError(f'{path} is a TorchScript program, not weights, and nothing in it was executed: save '
                                 'the state_dict of its model with torch.save or as .safetensors')
            if any(record.compress_type != zipfile.ZIP_STORED for record in records) or \
                    sum(record.file_size for record in records) > Path(path).stat().st_size:
                raise ValueError(f'{path} is not as torch.save writes a file: its records are compressed or overlap')
            for record in records:
                if record.CRC or not record.file_size:
                    with archive.open(record) as content:  # which compares at the end
                        while content.read(CHUNK):
                            pass
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, zlib.error) as error:
        raise ValueError(f'{path} is cut off or damaged, its content is not what was written ({error}): fetch it '
                         'again, or take an earlier one') from None


def check_tensors(content: object, path: str | Path) -> None:
    """Refuses what would take much more memory than the file that it came from.

    Raises:
        ValueError: a tensor has a shape and no values, or they all take more than ``MOST_STATED`` times its size.
    """
    most = MOST_STATED * Path(path).stat().st_size + SMALL
    stated = 0
    for tensor in _tensors(content):
        stated += tensor.numel() * tensor.element_size()
        if tensor.is_meta or tensor.layout != torch.strided:
            raise ValueError(f'{path} holds a tensor that has a shape {tuple(tensor.shape)} and not all of its values')
        if stated > most:
            raise ValueError(f'{path} states tensors of more than {most // 1_000_000} MB, far more than the file '
                             f'holds, up to one of shape {tuple(tensor.shape)}')


def check_weights(content: object, path: str | Path) -> None:
    """Refuses what is no dict, and weights whose names are no text.

    Raises:
        ValueError: see above.
    """
    if not isinstance(content, dict):
        raise ValueError(f'{path} holds a {type(content).__name__}, not a dict of weights')
    state = content.get('state_dict', content)
    if not isinstance(state, dict):
        raise ValueError(f'{path} has a {type(state).__name__} as its state_dict, not a dict of weights')
    strange = next((key for key, value in state.items() if torch.is_tensor(value) and not isinstance(key, str)), None)
    if strange is not None:
        raise ValueError(f'{path} has weights under the name {strange!r}, which is no text: it is no state_dict')


def _tensors(content: object) -> Iterator[torch.Tensor]:
    """Each tensor of nested containers once; what is shared is looked at once, however often it is named."""
    stack, seen = [content], set()
    while stack:
        value = stack.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, dict):
            stack += value.values()
        elif isinstance(value, (list, tuple, set)):
            stack += value
