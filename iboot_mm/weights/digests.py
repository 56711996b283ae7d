"""A digest inside a ``.safetensors`` file: the format has none of its own, as archives of ``torch.save`` have."""

import hashlib
from pathlib import Path

import safetensors.torch
from safetensors import safe_open
from torch import Tensor

KEY = 'sha256'  # in the file's metadata, of all that comes after its header
HEADER_LENGTH = 8  # bytes that say how long the header is


def save_with_digest(state: dict[str, Tensor], path: str | Path) -> None:
    """Writes ``.safetensors`` whose metadata hold the SHA-256 of the values; others read it as any such file."""
    safetensors.torch.save_file(state, path, metadata=dict(format='pt'))
    # A second header of other words leaves names, shapes, places and values as they are.
    safetensors.torch.save_file(state, path, metadata={'format': 'pt', KEY: _digest(path)})


def check_digest(path: str | Path) -> None:
    """Compares a ``.safetensors`` file with the digest in it, if it has one.

    Raises:
        ValueError: the values are not those that were written.
        SafetensorError: it is no such file.
    """
    with safe_open(path, framework='pt') as file:
        stated = (file.metadata() or {}).get(KEY)
    if stated is not None and stated != _digest(path):
        raise ValueError(f'{path} is damaged, its content is not what was written (SHA-256 differs): fetch it again')


def _digest(path: str | Path) -> str:
    with open(path, 'rb') as file:
        file.seek(HEADER_LENGTH + int.from_bytes(file.read(HEADER_LENGTH), 'little'))
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
        return digest.hexdigest()
