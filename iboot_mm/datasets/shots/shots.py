"""Shot lists: which frames of a video belong together, found once per video and read by training.

A list is JSON lines, one per video: `{"file": "a/b.mp4", "frames": 240, "fps": 25.0, "starts": [0, 57, 133]}`, with the
first frame of each shot and, where there are any, `"black"`, the numbers of the shots that show nothing; or
`{"file": ..., "error": ...}`. Files are named below the root of the videos; of two lines of one file the later one
holds. A line without `file` says how the shots were found.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter
from typing_extensions import NotRequired, TypedDict

from ...stores.atomic_files import AtomicLocalBackend

_MOST_CHARACTERS = 1 << 24  # of a line
_EPSILON = 1e-6  # of a frame: keeps products such as 3 * (1 / 3) from falling one frame short

Frame = Annotated[int, Field(ge=0, lt=1 << 31)]  # shots are kept as int32
Rate = Annotated[int | float, Field(ge=0, le=1e6)]


class _Shots(TypedDict):
    """An entry of a video that could be read, without its file."""

    __pydantic_config__ = ConfigDict(strict=True, extra='allow', allow_inf_nan=False)
    frames: Frame
    fps: Rate
    starts: Annotated[list[Frame], Field(min_length=1)]
    black: NotRequired[list[Frame]]


class _Settings(TypedDict):
    """How shots were found."""

    __pydantic_config__ = ConfigDict(strict=True, extra='allow', allow_inf_nan=False)
    fps: NotRequired[Rate | None]


_SHOTS, _SETTINGS = TypeAdapter(_Shots), TypeAdapter(_Settings)


def read_shots(path: str | Path) -> tuple[dict, dict[str, dict]]:
    """How the shots of a list were found (empty if it does not say) and its entries by file.

    Raises:
        FileNotFoundError: If there is no such list.
        ValueError: For a line that is no entry, named by its number.
    """
    settings, entries = {}, {}
    for entry in iterate_shots(path):
        if 'file' in entry:
            entries[entry['file']] = entry
        else:
            settings = entry
    return settings, entries


def iterate_shots(path: str | Path) -> Iterator[dict]:
    """The lines of a list one by one, entries and how the shots were found: millions of entries take gigabytes.

    Raises:
        FileNotFoundError: If there is no such list.
        ValueError: For a line that is no entry, named by its number.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"There is no shot list '{path}': write it with tools/data/find_shots.py.")
    with open(path, encoding='utf-8', errors='surrogateescape') as lines:  # what is no text fails as a line
        for number, line in enumerate(iter(lambda: lines.readline(_MOST_CHARACTERS), ''), 1):
            entry = _parse(line)
            if entry is None:
                raise ValueError(f"Line {number} of the shot list '{path}' names no file with its frames, fps and "
                                 f'rising starts, nor an error: {line[:80]!r}; write the list with '
                                 'tools/data/find_shots.py.')
            yield entry


def _parse(line: str) -> dict | None:
    try:
        entry = json.loads(line)
        if not isinstance(entry, dict):
            return None
        if 'file' not in entry:
            return _SETTINGS.validate_python(entry)
        if not isinstance(entry['file'], str):  # as the disk names it, which need not be text
            return None
        if 'error' in entry:
            return entry if isinstance(entry['error'], str) else None
        _SHOTS.validate_python({name: value for name, value in entry.items() if name != 'file'})
        edges = [*entry['starts'], entry['frames']]
        known = edges[0] == 0 and all(shot < len(entry['starts']) for shot in entry.get('black', []))
        return entry if known and all(a < b for a, b in zip(edges, edges[1:])) else None
    except (ValueError, RecursionError):
        return None


def write_shots(path: str | Path, settings: Mapping, entries: Iterable[Mapping]) -> None:
    """Write a list, whole or not at all, its files in the order of their names."""
    lines = [settings, *sorted(entries, key=lambda entry: entry['file'])]
    AtomicLocalBackend().put_text(''.join(json.dumps(line) + '\n' for line in lines), path)


def usable_shots(entry: Mapping) -> np.ndarray:
    """The shots of an entry that are not black: int64 (S, 2), first frame and the one after the last."""
    edges = np.array([*entry['starts'], entry['frames']], dtype=np.int64)
    return np.delete(np.stack([edges[:-1], edges[1:]], 1), entry.get('black', []), axis=0)


def run_lengths(shots: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """How many shots in a row adjoin, each beginning where the one before it ends, around each shot.

    Args:
        shots (np.ndarray): (S, 2), first frame and the one after the last, ascending within a video.
        rows (np.ndarray, optional): The video of each shot (S,). None: of one video.

    Returns:
        np.ndarray: Length of the run that each shot is in, int64 (S,), at least 1.
    """
    begins = np.ones(len(shots), bool)
    begins[1:] = shots[1:, 0] != shots[:-1, 1]
    if rows is not None:
        begins[1:] |= rows[1:] != rows[:-1]
    runs = np.cumsum(begins) - 1
    return np.bincount(runs)[runs]


def shot_ticks(shots: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Which ticks of a clock fall into each shot, where tick i shows frame floor(i step).

    Args:
        shots (np.ndarray): (S, 2), first frame and the one after the last.
        step (float): Frames per tick.

    Returns:
        tuple[np.ndarray, np.ndarray]: First tick and number of ticks of each shot, int64 (S,).
    """
    first, end = np.ceil((shots - _EPSILON) / step).astype(np.int64).T
    return first, end - first


def tick_frames(ticks: np.ndarray, step: float) -> np.ndarray:
    """The frames that ticks show, int64."""
    return np.floor(ticks * step + _EPSILON).astype(np.int64)


def count_matches(found: Sequence[int], true: Sequence[int], tolerance: int = 0) -> int:
    """How many cuts of two ascending lists can be paired, each once, at most `tolerance` frames apart."""
    matches = i = j = 0
    while i < len(found) and j < len(true):
        distance = found[i] - true[j]
        if abs(distance) <= tolerance:
            matches, i, j = matches + 1, i + 1, j + 1
        elif distance < 0:
            i += 1
        else:
            j += 1
    return matches
