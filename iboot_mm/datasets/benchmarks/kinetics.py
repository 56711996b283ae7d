"""Kinetics-400, Kinetics-600 and both editions of Kinetics-700.

Annotations are DeepMind's csv files, one line per clip: `label,youtube_id,time_start,time_end,split[,is_cc]`. Clips are
called `YOUTUBEID_000010_000020.mp4`, after both times in seconds. They lie in a folder per class (with blanks or with
`_` in its name), or flat in `train`, `val` and `replacement/replacement_for_corrupted_k400` as the CVDF ships them.

Kinetics-700 of 2019 and Kinetics-700-2020, which replaced videos that had disappeared, have the same classes: only the
number of lines tells them apart (`counts.py`).
"""

import csv
from pathlib import Path

from ..list_file import text_lines
from .annotation import Annotation, Clip, Part, find_file, look_up

# DeepMind's archive, the CVDF's, and MMAction2's own name for the same file.
_FILES = dict(train=('train.csv', 'kinetics_train.csv'), val=('validate.csv', 'val.csv', 'kinetics_val.csv'))
_COLUMNS = ('label', 'youtube_id', 'time_start', 'time_end')


def read_kinetics(folder: Path, name: str) -> Annotation:
    """Read `train.csv` and `validate.csv`.

    Classes are numbered in the order of their names with `_` for blanks, which is MMAction2's numbering.

    Raises:
        FileNotFoundError: If one of the files is missing.
        ValueError: For a file of another form.
    """
    rows = {}
    for part, names in _FILES.items():
        hint = f'unpack {name}.tar.gz of DeepMind (or the annotations that the CVDF hosts) there'
        path = find_file(folder, names, (name, 'annotations'), hint)  # other editions may lie beside it
        rows[part] = path, _read_rows(path)
    classes = {_underscored(row['label']): row['label'] for row in rows['train'][1]}
    index = {key: i for i, key in enumerate(sorted(classes))}
    parts = []
    for part, (path, entries) in rows.items():
        clips = [_clip(row, index, path) for row in entries]
        parts.append(Part(f'{name}_{part}_list_videos.txt', f'videos_{part}', clips))
    return Annotation([classes[key].replace('"', '') for key in index], parts)


def _read_rows(path: Path) -> list[dict]:
    reader = csv.DictReader(line for _, line in text_lines(path))
    missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise ValueError(f"'{path}' has no column {missing[0]!r}: its first line should be "
                         f"'{','.join(_COLUMNS)},split'.")
    rows = list(reader)
    short = [number for number, row in enumerate(rows, 2) if None in (row[column] for column in _COLUMNS)]
    if short:
        raise ValueError(f"Line {short[0]} of '{path}' has too few columns: download the file again.")
    return rows


def _clip(row: dict, index: dict[str, int], path: Path) -> Clip:
    label = _underscored(row['label'])
    try:
        start, end = (int(float(row[column])) for column in ('time_start', 'time_end'))
    except ValueError as error:
        raise ValueError(f"'{path}' gives the clip {row['youtube_id']} no start and end in seconds.") from error
    stem = f"{row['youtube_id']}_{start:06d}_{end:06d}"
    # Some copies leave the times out: every clip is of a YouTube video of its own (arXiv:1705.06950, section 1).
    return Clip((stem, row['youtube_id']), look_up(index, label, path), f'{label}/{stem}')


def _underscored(label: str) -> str:
    return label.replace('"', '').replace(' ', '_')
