"""The files of AVA (arXiv:1705.08421, https://research.google.com/ava), as data set and evaluation read them.

A key frame is a video and a second of the movie; boxes are `x1, y1, x2, y2` in shares of the picture's width and
height.
"""

import csv
import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np

KeyFrame = tuple[str, int]  # video id, second
_SLACK = .1  # boxes of detectors lie a little outside of the picture at times


class Row(NamedTuple):
    """A line `video,second,x1,y1,x2,y2,action,last`; `action` is None where the field is empty.

    `last` is the id of a person in annotations, a score in detections, and 1 where the column is missing.
    """

    key: KeyFrame
    box: tuple[float, float, float, float]
    action: int | None
    last: float


class Persons(NamedTuple):
    """Boxes float64 (N, 4) of detected persons, and the detector's confidence float64 (N,)."""

    boxes: np.ndarray
    scores: np.ndarray


def read_rows(path: str | Path) -> Iterator[Row]:
    """The lines of annotations (`ava_train_v2.2.csv`), of detected persons or of results.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: For a line of another form; names it.
    """
    with _open(path) as lines:
        for number, columns in enumerate(csv.reader(lines), 1):
            if not columns:
                continue
            try:
                video, second, left, top, right, bottom, action = columns[:7]
                row = Row((video, int(second)), (float(left), float(top), float(right), float(bottom)),
                          int(action) if action else None, float(columns[7]) if len(columns) > 7 else 1.)
            except ValueError as error:
                raise ValueError(f"Line {number} of '{path}' is not 'video,second,x1,y1,x2,y2,action,...': "
                                 f'{",".join(columns)!r}.') from error
            _check_box(row.box, f"Line {number} of '{path}'")
            yield row


def read_annotations(path: str | Path, num_classes: int) -> dict[KeyFrame, tuple[np.ndarray, np.ndarray]]:
    """Each key frame's boxes float64 (N, 4) and their actions uint8 (N, num_classes), action 1 in column 0.

    A person's actions are lines with the same box and the same id.

    Raises:
        ValueError: For a line of another form, or an action beyond `num_classes`.
    """
    found: dict[KeyFrame, dict[tuple, np.ndarray]] = {}
    for row in read_rows(path):
        if row.action is None or not 1 <= row.action <= num_classes:
            raise ValueError(f"'{path}' gives {row.key} the action {row.action}; with num_classes={num_classes} "
                             f'actions are numbered from 1 to {num_classes}.')
        actions = found.setdefault(row.key, {}).setdefault((row.box, row.last), np.zeros(num_classes, np.uint8))
        actions[row.action - 1] = 1
    return {key: (np.array([box for box, _ in persons]), np.stack(list(persons.values())))
            for key, persons in found.items()}


def read_persons(path: str | Path, confidence: float) -> dict[KeyFrame, Persons]:
    """Detected persons with more than this `confidence`; key frames without any are left out.

    The two public forms: PySlowFast's csv file (`ava_detection_val_boxes_and_labels.csv`, lines
    `video,second,x1,y1,x2,y2,,score`), and MMAction2's pickle (`ava_dense_proposals_val.FAIR.recall_93.9.pkl`,
    `{'video,second': array (N, 5)}`), of which nothing but arrays is loaded.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: For a file of another form.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file '{path}' of detected persons: put PySlowFast's csv file or "
                                "MMAction2's pickle there, or set `proposal_file`.")
    if Path(path).suffix == '.pkl':
        tables = _read_pickle(path)
    else:
        rows: dict[KeyFrame, list] = {}
        for row in read_rows(path):
            rows.setdefault(row.key, []).append((*row.box, row.last))
        tables = {key: np.array(table) for key, table in rows.items()}
    sure = {key: table[table[:, 4] > confidence] for key, table in tables.items()}
    return {key: Persons(table[:, :4], table[:, 4]) for key, table in sure.items() if len(table)}


def read_exclusions(path: str | Path) -> set[KeyFrame]:
    """The key frames of `ava_val_excluded_timestamps_v2.2.csv`, lines `video,second`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: For a line of another form.
    """
    with _open(path) as lines:
        rows = [row for row in csv.reader(lines) if row]
    try:
        return {(video, int(second)) for video, second in rows}
    except ValueError as error:
        raise ValueError(f"'{path}' should hold lines 'video,second': {error}.") from error


def read_class_names(path: str | Path) -> dict[int, str]:
    """The actions of a list such as `ava_action_list_v2.2_for_activitynet_2019.pbtxt`, by their number from 1.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it holds no action.
    """
    with _open(path) as lines:
        entries = re.findall(r'name:\s*"([^"]*)"\s*(?:label_)?id:\s*(\d+)', lines.read())
    if not entries:
        raise ValueError(f"'{path}' holds no entries 'name: \"...\" id: ...': give one of AVA's lists of actions.")
    return {int(number): name for name, number in entries}


def _open(path: str | Path) -> TextIO:
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file '{path}': tools/data/prepare.py ava puts AVA's files beside its "
                                'videos.')
    return open(path, newline='', encoding='utf-8-sig')


def _check_box(box: tuple[float, ...], place: str) -> None:
    if not all(-_SLACK <= value <= 1 + _SLACK for value in box):
        raise ValueError(f'{place} has the box {box}, which should be x1, y1, x2, y2 in shares of the picture, from 0 '
                         'to 1.')


class _ArraysOnly(pickle.Unpickler):
    """Loads numpy's arrays and what holds them; whatever else a pickle asks for is refused, so no code runs."""

    allowed = {('numpy', 'ndarray'), ('numpy', 'dtype'), ('_codecs', 'encode'),
               *((f'numpy.{core}.{module}', name) for core in ('core', '_core') for module, name in (
                   ('multiarray', '_reconstruct'), ('multiarray', 'scalar'), ('numeric', '_frombuffer')))}

    def find_class(self, module: str, name: str) -> object:
        """See the class."""
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f'it asks for {module}.{name}, which is neither an array nor a number')
        return super().find_class(module, name)


def _read_pickle(path: str | Path) -> dict[KeyFrame, np.ndarray]:
    with open(path, 'rb') as file:
        try:
            content = _ArraysOnly(file, encoding='latin1').load()  # the public file is of Python 2
        except Exception as error:  # bytes that are no pickle make the unpickler fail in any way
            raise ValueError(f"'{path}' is no pickle of arrays: {error}.") from error
    tables = {}
    for key, table in (content.items() if isinstance(content, dict) else [('', None)]):
        video, _, second = str(key).rpartition(',')
        if not video or not second.isdecimal() or not isinstance(table, np.ndarray) or table.shape[1:] != (5,):
            raise ValueError(f"'{path}' should hold {{'video,second': array (N, 5)}}, boxes and confidences, but has "
                             f'the entry {key!r}.')
        for box in table[:, :4].tolist():
            _check_box(box, f"The entry {key!r} of '{path}'")
        tables[video, int(second)] = np.asarray(table, np.float64)
    return tables
