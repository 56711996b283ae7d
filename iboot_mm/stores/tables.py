"""Long tables on the disk: Arrow files that all processes of a machine map into memory, so that there is one copy.

A table is written by one process and is there whole or not at all. Its file says what it was made from; when that has
changed, it is written anew. Tables that have no folder of their own lie in `cache_folder()`.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from filelock import FileLock
from mmengine.logging import print_log

from .atomic_files import PART

if TYPE_CHECKING:  # imported where it is needed: short lists do without
    import pyarrow as pa

_SOURCE = b'made from'  # key of the metadata


class SharedTable:
    """An Arrow table, mapped from a file where there is one.

    It is not to be changed: copies are the table itself, and other processes get the file's name.

    Attributes:
        table (pyarrow.Table): The columns.
        path (Path | None): The file; None in memory.
    """

    def __init__(self, table: 'pa.Table', path: Path | None = None) -> None:
        self.table, self.path = table, path

    def __deepcopy__(self, memo: dict) -> 'SharedTable':
        return self

    def __reduce__(self) -> tuple:
        return (map_table, (self.path,)) if self.path else (SharedTable, (self.table,))


def cache_folder() -> Path:
    """`iboot_mm` in the user's folder of caches (`XDG_CACHE_HOME`, else `~/.cache`); may be deleted at any time."""
    return Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'iboot_mm'


def cached_path(*identity: object) -> Path:
    """The file of a table in `cache_folder()`, by what it is of: JSON values."""
    return cache_folder() / f'{hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:24]}.arrow'


def map_table(path: Path) -> SharedTable:
    """A table on the disk.

    Raises:
        OSError: If there is none.
        pyarrow.ArrowInvalid: If the file is none, or damaged.
    """
    import pyarrow as pa
    return SharedTable(pa.ipc.open_file(pa.memory_map(str(path))).read_all(), path)


def shared_table(paths: Sequence[Path], source: dict, make: Callable[[], 'pa.RecordBatchReader']) -> SharedTable:
    """The table that was made from something, written if it is not there yet.

    Of processes that ask at once, one writes and the others wait for it. Where none of the files can be written, the
    table is made in memory, and a line of the log says so.

    Args:
        paths (Sequence[Path]): Files that may hold it, the first that can be written is taken. None at all: in memory.
        source (dict): What it is made from, JSON values.
        make (Callable): Gives its parts, one by one.
    """
    if not paths:
        return SharedTable(make().read_all())
    if (there := _find(paths, source)) is not None:
        return there
    with _lock(paths):
        if (there := _find(paths, source)) is not None:
            return there
        errors = []
        for path in paths:
            try:
                _write(path, source, make())
                return map_table(path)
            except OSError as error:  # a read-only folder, a full disk
                errors.append(f"'{path}' ({error.strerror or error})")
        print_log(f'{" and ".join(errors)} could not be written: each process keeps a copy of that table in memory; '
                  'XDG_CACHE_HOME names another folder.', 'current', level=30)
        return SharedTable(make().read_all())


def _find(paths: Sequence[Path], source: dict) -> SharedTable | None:
    import pyarrow as pa
    for path in paths:
        try:
            found = map_table(path)
        except (OSError, pa.ArrowInvalid):
            continue
        about = (found.table.schema.metadata or {}).get(_SOURCE)
        if about is not None and json.loads(about) == json.loads(json.dumps(source)):
            return found
    return None


def _write(path: Path, source: dict, parts: 'pa.RecordBatchReader') -> None:
    import pyarrow as pa
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_name(f'{path.name}.{uuid4().hex}{PART}')  # machines that share a disk may write at once
    try:
        with open(own, 'wb') as file:
            about = {**(parts.schema.metadata or {}), _SOURCE: json.dumps(source)}
            with pa.ipc.new_file(file, parts.schema.with_metadata(about)) as writer:
                for part in parts:
                    writer.write_batch(part)
            file.flush()
            os.fsync(file.fileno())
        os.replace(own, path)
    finally:
        own.unlink(missing_ok=True)


@contextmanager
def _lock(paths: Sequence[Path]) -> Iterator[None]:
    """One process of this machine at a time; all at once where files cannot be locked."""
    lock = FileLock(cached_path([str(path) for path in paths]).with_suffix('.lock'))
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except (OSError, NotImplementedError):
        lock = None
    try:
        yield
    finally:
        if lock is not None:
            lock.release()
