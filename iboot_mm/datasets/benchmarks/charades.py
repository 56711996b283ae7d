"""Charades: `Charades_v1_480/ID.mp4` (or `Charades_v1_rgb/ID/*.jpg`) and the csv files of `Charades.zip`."""

import csv
import io
from pathlib import Path
from typing import Any

from ..activities import parse_activities, read_table
from .annotation import Annotation, Clip, Part, find_file, from_columns, read_lines

_SUBFOLDERS = ('Charades', 'annotations')
_HINT = 'unpack Charades.zip there'


def read_charades(folder: Path) -> Annotation:
    """Read `Charades_v1_classes.txt` (`c000 Holding some clothes`), `Charades_v1_train.csv` and `Charades_v1_test.csv`.

    A list holds the official lines of the videos that are there, all columns.

    Raises:
        FileNotFoundError: If one of the files is missing.
        ValueError: For a file of another form.
    """
    path = find_file(folder, ['Charades_v1_classes.txt'], _SUBFOLDERS, _HINT)
    lines = read_lines(path)
    classes = [line.partition(' ')[2] for line in lines if from_columns(line, 2, path)]
    if [line.split()[0] for line in lines] != [f'c{number:03d}' for number in range(len(lines))]:
        raise ValueError(f"'{path}' does not number its classes from c000 without gaps.")
    parts = []
    for part in ('train', 'test'):
        path = find_file(folder, [f'Charades_v1_{part}.csv'], _SUBFOLDERS, _HINT)
        rows = read_table(path)
        for row in rows:
            parse_activities(row['actions'], f"'{path}', video {row['id']}", len(classes))
        clips = [Clip((row['id'],), -1, row['id'], (_line(row.values()),)) for row in rows]
        parts.append(Part(path.name, 'videos', clips, _line(rows[0]) + '\n'))
    return Annotation(classes, parts)


def _line(values: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator='').writerow(values)
    return text.getvalue()
