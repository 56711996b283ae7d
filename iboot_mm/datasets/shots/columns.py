"""Usable shots of millions of videos as columns: what `usable_shots` and `shot_ticks` say of one, of a part of a list.

A list of ten million videos takes 6 GB as dictionaries.
"""

import io
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...stores.tables import SharedTable
from ..video_table import VideoTable
from .shots import iterate_shots, run_lengths, shot_ticks

if TYPE_CHECKING:  # imported where it is needed: short lists do without
    import pyarrow as pa

_BLOCK = 2**23  # bytes of a list that are looked at together
_ROWS = 2**15
_TOLD = b'selection'  # key of the metadata
NOT_LISTED = 'not in the list'
FATES = (NOT_LISTED, 'unreadable', 'wholly black', 'of unknown frame rate', 'with too few shots', 'of one shot')


class NotPlain(Exception):
    """A part of a list that only `iterate_shots` understands, or refuses."""


def shot_columns(path: str | Path, plain: bool) -> Iterator['pa.Table']:
    """Entries of a shot list, in parts: `file`, `error`, `frames`, `fps`, `starts`, `black`.

    Args:
        path (str | Path): The list.
        plain (bool): Read it by Arrow's own reader of JSON, in a tenth of the time.

    Raises:
        NotPlain: With `plain`, for any line that `find_shots.py` would not have written so.
        ValueError: Without, as `iterate_shots` does.
    """
    import pyarrow as pa
    import pyarrow.json
    numbers = pa.list_(pa.int64())
    schema = pa.schema(dict(file=pa.string(), error=pa.string(), frames=pa.int64(), fps=pa.float64(), starts=numbers,
                            black=numbers))
    if not plain:
        entries = (dict(file=entry['file'], error=entry['error']) if 'error' in entry else entry
                   for entry in iterate_shots(path) if 'file' in entry)
        while part := list(islice(entries, _ROWS)):
            yield pa.Table.from_pylist(part, schema)
        return
    options = pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior='ignore')
    with open(path, 'rb') as file:
        while block := file.read(_BLOCK) + file.readline():
            reading = pa.json.ReadOptions(use_threads=False, block_size=len(block) + 1)
            try:
                table = pa.json.read_json(io.BytesIO(block), reading, options)
            except pa.ArrowInvalid:
                raise NotPlain from None
            _check(table)
            yield table.filter(table['file'].is_valid())


def _check(table: 'pa.Table') -> None:
    """What `iterate_shots` asks of an entry."""
    entries = table.filter(table['file'].is_valid())
    entries = entries.filter(entries['error'].is_null())
    if any(entries[name].null_count for name in ('frames', 'fps', 'starts')):
        raise NotPlain
    shots, offsets, _ = _edges(entries)
    counts = np.diff(offsets)
    black, black_counts = _flat(entries, 'black')
    most = np.repeat(counts, black_counts)
    if (counts < 1).any() or (shots[:, 0] >= shots[:, 1]).any() or (shots[offsets[:-1], 0] != 0).any() or (
            (black < 0) | (black >= most)).any():
        raise NotPlain


def usable_columns(table: 'pa.Table', num_shots: int, min_length: int, target_fps: float | None) -> 'pa.Table':
    """Usable shots of entries that stand among `num_shots` adjoining ones, as `ShotFolder` wants them.

    Returns:
        pyarrow.Table: `file`; `shots`, first frame and the one after the last of each, list of 2 S numbers; `count`, of
            the most adjoining ones, however few; `shot_frames`; `fate`, the place in `FATES` of what a video is that
            has none or too few.
    """
    import pyarrow as pa
    shots, offsets, row_of = _edges(table)
    black, black_counts = _flat(table, 'black')
    is_black = np.zeros(len(shots), bool)
    is_black[np.repeat(offsets[:-1], black_counts) + black] = True
    fps = table['fps'].fill_null(0).to_numpy()
    step = np.where(fps > 0, fps, 1)[row_of, None] / target_fps if target_fps else 1.
    enough = shot_ticks(shots, step)[1] >= min_length
    unclear = (fps == 0) & bool(target_fps)
    failed = table['error'].is_valid().to_numpy()
    kept = ~is_black & enough & ~(unclear | failed)[row_of]
    lengths = np.zeros(len(shots), np.int64)
    lengths[kept] = run_lengths(shots[kept], row_of[kept])
    count = np.zeros(len(table), np.int64)
    np.maximum.at(count, row_of, lengths)
    kept &= lengths >= num_shots
    fate = np.select([failed, np.bincount(row_of[~is_black], minlength=len(table)) == 0,
                      unclear, np.diff(offsets) > 1], [1, 2, 3, 4], 5)
    ends = np.concatenate([[0], np.cumsum(2 * np.bincount(row_of[kept], minlength=len(table)))]).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(ends), pa.array(shots[kept].astype(np.int32).ravel()))
    return pa.table(dict(file=table['file'].combine_chunks(), shots=lists, count=pa.array(count, pa.int32()),
                         shot_frames=table['frames'].combine_chunks(), fate=pa.array(fate, pa.int8())))


def select(videos: VideoTable, entries: Iterator['pa.Table'], num_shots: int, min_length: int,
           target_fps: float | None) -> 'pa.RecordBatchReader':
    """The videos that have enough shots, with `shots` and `shot_frames`; what became of the others see `told`."""
    import pyarrow as pa
    import pyarrow.compute as pc
    shots = pa.concat_tables(usable_columns(part, num_shots, min_length, target_fps) for part in entries)
    table = videos.columns.table.replace_schema_metadata()
    if not isinstance(videos.rows, range):
        table = table.take(videos.rows)
    files = shots['file'].combine_chunks()[::-1]  # of two entries of one file the later one holds
    place = pc.index_in(pc.replace_substring_regex(table['file'], r'^(\./)+', ''), value_set=files)
    rows = pc.subtract(len(files) - 1, place)
    count = shots['count'].take(rows).fill_null(0)
    kept = pc.greater_equal(count, num_shots)
    fates = np.bincount(shots['fate'].take(rows).fill_null(0).to_numpy()[~kept.to_numpy()], minlength=len(FATES))
    about = dict(most=pc.max(count).as_py(), example=shots['file'][0].as_py(),
                 fates={fate: int(number) for fate, number in zip(FATES, fates) if number})
    found = shots.select(['shots', 'shot_frames']).take(rows.filter(kept))
    table = table.filter(kept)
    for name in found.column_names:
        table = table.append_column(name, found[name])
    return table.replace_schema_metadata({_TOLD: json.dumps(about)}).to_reader(max_chunksize=2**16)


def told(columns: SharedTable) -> dict:
    """`most` shots of a video, an `example` of the shot list's names, and how many were dropped by their `fates`."""
    return json.loads(columns.table.schema.metadata[_TOLD])


def _flat(table: 'pa.Table', name: str) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of a column of lists, and how many each row has."""
    import pyarrow.compute as pc
    column = table[name].combine_chunks()
    return pc.list_flatten(column).to_numpy(), pc.list_value_length(column).fill_null(0).to_numpy()


def _edges(table: 'pa.Table') -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First frame and the one after the last of all shots (S, 2), first shot of each row (N + 1,), row of each (S,)."""
    starts, counts = _flat(table, 'starts')
    offsets = np.concatenate([[0], np.cumsum(counts)])
    ends = np.empty_like(starts)
    ends[:-1] = starts[1:]
    some = counts > 0
    ends[offsets[1:][some] - 1] = table['frames'].fill_null(0).to_numpy()[some]
    return np.stack([starts, ends], 1), offsets, np.repeat(np.arange(len(counts)), counts)
