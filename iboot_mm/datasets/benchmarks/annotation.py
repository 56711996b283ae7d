"""What the annotation files of a benchmark say, in one form for all of them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..list_file import text_lines
from ..listing import VIDEO_EXTENSIONS


@dataclass(frozen=True)
class Clip:
    """One annotated video.

    Attributes:
        keys (tuple[str, ...]): What its file may be called, the best name first; see `Benchmark.key`.
        label (int): Index of its class.
        target (str): Path below the folder of videos, without ending.
        lines (tuple[str, ...]): What the list says of it, where that is not `path label`: lines of an official file.
    """

    keys: tuple[str, ...]
    label: int
    target: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """The videos of one list.

    Attributes:
        list_name (str): File name of the list.
        folder (str): Folder of its videos, which the list's paths are relative to.
        clips (list[Clip]): In the order of the annotation file.
        header (str): First line of the list, with its end.
    """

    list_name: str
    folder: str
    clips: list[Clip]
    header: str = ''


@dataclass(frozen=True)
class Annotation:
    """All of a benchmark that its annotation files say.

    Attributes:
        classes (list[str]): Names in the order of their index.
        parts (list[Part]): The lists.
        files (list[Path]): Official files to copy beside them as they are.
    """

    classes: list[str]
    parts: list[Part]
    files: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class Benchmark:
    """How one benchmark comes.

    Attributes:
        title (str): Its name in print.
        read (Callable): `read(folder) -> Annotation`, from its annotation files.
        archives (str): What has to be unpacked below the root, for messages.
        key (Callable): What identifies a video file, from its path; the stem by default.
        extensions (Sequence[str]): Endings of what counts as a video; with those of pictures also folders of frames.
    """

    title: str
    read: Callable[[Path], Annotation]
    archives: str
    key: Callable[[Path], str] = lambda path: path.stem
    extensions: Sequence[str] = VIDEO_EXTENSIONS


def find_file(folder: Path, names: Sequence[str], subfolders: Sequence[str], hint: str) -> Path:
    """The first of `names` that is in `folder` or one of its subfolders.

    Raises:
        FileNotFoundError: If there is none.
    """
    for place in (folder, *(folder / name for name in subfolders)):
        for name in names:
            if (place / name).is_file():
                return place / name
    places = f"'{folder}'" + (f' or its {", ".join(subfolders)}' if subfolders else '')
    raise FileNotFoundError(f'There is no {" or ".join(names)} in {places}: {hint}, or name the folder of the '
                            'annotation files with --annotations.')


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that hold something.

    Raises:
        ValueError: If it is no UTF-8.
    """
    return [line for _, line in text_lines(path)]


def read_json(path: Path) -> list | dict:
    """A JSON file.

    Raises:
        ValueError: If it is damaged.
    """
    try:
        return json.loads(path.read_text(encoding='utf-8-sig'))
    except ValueError as error:
        raise ValueError(f"'{path}' is no JSON ({error}): download it again.") from error


def look_up(index: dict[str, int], name: str, where: Path) -> int:
    """The index of a class.

    Raises:
        ValueError: If the class is unknown.
    """
    if name not in index:
        raise ValueError(f"'{where}' names the class {name!r}, which is none of the {len(index)} classes: do these "
                         'annotation files belong together?')
    return index[name]


def from_columns(line: str, count: int, where: Path) -> list[str]:
    """The columns of a line, split at blanks.

    Raises:
        ValueError: If there are fewer.
    """
    columns = line.split()
    if len(columns) < count:
        raise ValueError(f"'{where}' has the line {line!r}, which should have {count} columns.")
    return columns
