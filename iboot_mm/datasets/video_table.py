"""The videos of a data set as columns that all processes share, instead of dictionaries in each."""

import os
from collections.abc import Iterator, Sequence

import numpy as np

from ..stores.tables import SharedTable
from .shards import LABEL

_ROWS = 2**14  # that are made into dictionaries at once


class VideoTable(Sequence):
    """Videos by their number, each a `dict(filename, labels)` made when it is asked for.

    Args:
        root (str): The folder that paths are relative to.
        columns (SharedTable): `file`, `label:NAME` and, where videos lie in shards, `shard`, the name of the shard in
            `root`, null for a file of its own.
        label_names (Sequence[str]): Labels to give.
        others (Sequence[str]): Further columns to give, by their names.
        rows (Sequence[int], optional): Which rows, in which order. None: all.
    """

    def __init__(self, root: str, columns: SharedTable, label_names: Sequence[str], others: Sequence[str] = (),
                 rows: Sequence[int] | np.ndarray | None = None) -> None:
        self.root, self.columns = root, columns
        self.label_names, self.others = tuple(label_names), tuple(others)
        self.rows = range(len(columns.table)) if rows is None else rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int | slice) -> 'dict | VideoTable':  # type: ignore[override]  # not of dicts alone
        """A video; with a slice, a table of several."""
        if isinstance(index, slice):
            return VideoTable(self.root, self.columns, self.label_names, self.others, self.rows[index])
        row, table = int(self.rows[index]), self.columns.table
        return self._video({name: table[name][row].as_py() for name in self._columns()})

    def __iter__(self) -> Iterator[dict]:
        """All videos, in a tenth of the time that one after the other takes."""
        if not isinstance(self.rows, range) or self.rows.step != 1:  # Arrow's `take` would copy the whole table
            yield from (self[index] for index in range(len(self)))
            return
        table = self.columns.table.select(self._columns())
        for start in self.rows[::_ROWS]:
            part = table.slice(start, min(_ROWS, self.rows.stop - start))
            columns = {name: column.to_pylist() for name, column in zip(part.column_names, part.columns)}
            yield from (self._video(dict(zip(columns, values))) for values in zip(*columns.values()))

    def take(self, indices: Sequence[int]) -> 'VideoTable':
        """A table of some videos, in that order."""
        rows = np.asarray(self.rows)[np.asarray(indices, dtype=np.int64)]
        return VideoTable(self.root, self.columns, self.label_names, self.others, rows)

    def labels(self, name: str) -> np.ndarray | None:
        """One label of all videos, int64 (N,), -1 where a video has none; None if no video has one."""
        if name not in self.label_names:
            return None
        return self.columns.table[LABEL + name].fill_null(-1).to_numpy()[np.asarray(self.rows)]

    def _columns(self) -> list[str]:
        shard = ['shard'] if 'shard' in self.columns.table.column_names else []
        return ['file', *shard, *(LABEL + name for name in self.label_names), *self.others]

    def _video(self, row: dict) -> dict:
        return dict(filename=os.path.join(self.root, row.get('shard') or '', row['file']),
                    labels={name: row[LABEL + name] for name in self.label_names},
                    **{name: row[name] for name in self.others})
