"""Files that are written whole or not at all."""

import os
import secrets
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

PART = '.part'


class AtomicLocalBackend(LocalBackend):
    """Local files through a temporary neighbour: a crash leaves the old file or the new one, never half of one.

    Each writer has a neighbour of its own, so of two that write one file at a time the last one counts, whole.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Writes bytes; the file appears, complete and on the disk, in one step. What fails leaves nothing behind."""
        filepath = Path(filepath)
        filepath.parent.mkdir(parents=True, exist_ok=True)
        # Same folder: a rename across file systems is no single step.
        part = filepath.with_name(f'{filepath.name}.{secrets.token_hex(4)}{PART}')
        try:
            with open(part, 'wb') as file:
                file.write(obj)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, filepath)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _sync_folder(filepath.parent)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Writes text, as :meth:`put` does."""
        self.put(obj.encode(encoding), filepath)


def remove_leftovers(folder: str | Path, pattern: str = '*') -> None:
    """Removes what a killed process left half written of the files ``<pattern>`` in ``folder``."""
    for name in (pattern + PART, f'{pattern}.{"[0-9a-f]" * 8}{PART}'):  # the first one is earlier versions'
        for leftover in Path(folder).glob(name):
            leftover.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    # Without this, the rename itself may be lost with the power. Some systems do not open folders.
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


register_backend('atomic', AtomicLocalBackend, force=True)
