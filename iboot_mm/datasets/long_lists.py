"""Lists as columns: long ones are written once, as an Arrow file in the cache that all processes share.

Ten million lines take 16 GB as Python objects in the making, and 3.5 GB afterwards, in each process.
"""

import os
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

from mmengine.logging import print_log

from ..stores.tables import SharedTable, cached_path, shared_table
from .list_file import ListFile
from .shards import LABEL

if TYPE_CHECKING:  # imported where it is needed: short lists do without
    import pyarrow as pa

LONG = 2**24  # bytes of a list, some 300,000 lines: shorter ones are as fast to read as a table is to find
_ROWS = 2**16  # of a part of a table
_BLOCK = 2**22  # bytes that are looked at together


class _NotPlain(Exception):
    """A line that is not the plain path and labels."""


def is_long(ann_file: str) -> bool:
    """Whether a list is worth a file in the cache."""
    return os.path.getsize(ann_file) >= LONG


def list_table(lines: ListFile) -> SharedTable:
    """A list as columns: `file`, the path as it stands there, and `label:NAME` for each label.

    A long list is read as columns once and then found in the cache until its size or time changes.

    Raises:
        ValueError: As `ListFile` does.
    """
    ann_file = lines.ann_file
    if not is_long(ann_file):
        return SharedTable(_reader(lines, _parts(lines)).read_all())
    about = os.stat(ann_file)
    identity = [os.path.realpath(ann_file), lines.label_names, lines.endings]
    source = dict(list=identity, size=about.st_size, changed=about.st_mtime_ns)
    place = cached_path('list', *identity)
    if not place.exists():
        print_log(f"The list '{ann_file}' is long: it is kept as '{place}', which all processes share and which may be "
                  'deleted at any time.', 'current')
    try:
        return shared_table([place], source, lambda: _reader(lines, _plain_parts(lines)))
    except _NotPlain:
        return shared_table([place], source, lambda: _reader(lines, _parts(lines)))


def _reader(lines: ListFile, parts: Iterator['pa.RecordBatch']) -> 'pa.RecordBatchReader':
    import pyarrow as pa
    first = next(parts)
    return pa.RecordBatchReader.from_batches(first.schema, chain([first], parts))


def _parts(lines: ListFile) -> Iterator['pa.RecordBatch']:
    """The columns of a list of any form, line by line."""
    import pyarrow as pa
    entries = iter(lines)
    while rows := list(islice(entries, _ROWS)):
        columns = dict(file=pa.array([path for path, _ in rows], pa.string()))
        for name in rows[0][1]:
            columns[LABEL + name] = pa.array([labels[name] for _, labels in rows], pa.int64())
        yield pa.record_batch(columns)


def _plain_parts(lines: ListFile) -> Iterator['pa.RecordBatch']:
    """The same in a third of the time, where each line is a path of known ending and labels with a blank between.

    Raises:
        _NotPlain: Any other line.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    _, labels = next(iter(lines))
    odd = r'\x00-\x1f",;|:#\x7f'  # what may separate columns, or be no part of a path
    columns = ''.join(f' (?P<label{i}>[0-9]{{1,18}})' for i in range(len(labels)))
    endings = '|'.join(map(re.escape, lines.endings))
    pattern = rf'^(?P<file>[^ {odd}\x80-\x{{10ffff}}][^{odd}]*(?i:{endings})){columns}\r?$'
    for block in _blocks(lines.ann_file):
        try:
            text = pa.scalar(block.decode(), pa.string())
        except UnicodeDecodeError:
            raise _NotPlain from None
        rows = pc.split_pattern(text, '\n').values
        found = pc.extract_regex(rows, pattern)
        if found.null_count:
            raise _NotPlain
        file, *numbers = found.flatten()
        yield pa.record_batch({'file': file} | {LABEL + name: number.cast(pa.int64())
                                                for name, number in zip(labels, numbers, strict=True)})


def _blocks(path: str) -> Iterator[bytes]:
    """A text file in pieces of whole lines, without the last line's end."""
    with open(path, 'rb') as file:
        while block := file.read(_BLOCK):
            yield (block + file.readline()).removesuffix(b'\n')
