"""List files: which text they are, what separates their columns, and which lines are no video."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

_MOST_DIGITS = 18  # of a label, which is a 64-bit number
_SEPARATOR = r'[ \t]*[,;\t ][ \t]*'
_PATH_NAMES = {'path', 'file', 'filename', 'filepath', 'video', 'videofile', 'videoname', 'videopath'}
_LABEL_NAMES = {'label', 'labels', 'labelid', 'class', 'classid', 'category', 'target'}
_KINETICS = {'label', 'youtubeid', 'timestart', 'timeend'}


class ListFile:
    """The videos of a list of lines `path [label [label2 ...]]`, one at a time.

    Columns are separated by blanks, tabs, commas or semicolons; a path may hold them too, since columns are counted
    from the right, and may stand in double quotes. Left out are empty lines, comments (`# ...`, with a blank after the
    number sign) and, in the first line, the names of the columns.

    Args:
        ann_file (str): The list, in UTF-8.
        label_names (Sequence[str], optional): The last columns are labels of these names. None: one whole number in
            the last column is the label 'label'.
        extensions (Sequence[str]): Endings of file names: what ends so is a path, even with a number at its end.

    Raises:
        FileNotFoundError: If there is no such list.
        ValueError: While lines are read, for a line with a bad label, a list of another form or without a video.
    """

    def __init__(self, ann_file: str, label_names: Sequence[str] | None, extensions: Sequence[str]) -> None:
        if not os.path.isfile(ann_file):
            what = f"The list '{ann_file}' is a folder" if os.path.isdir(ann_file) else f"There is no list '{ann_file}'"
            raise FileNotFoundError(f"{what}: set `ann_file` to a text file of lines 'path [label ...]'.")
        self.ann_file = ann_file
        self.label_names = tuple(label_names or ())
        if len(set(self.label_names)) < len(self.label_names):
            raise ValueError(f"The label_names {list(self.label_names)} of '{ann_file}' name a column twice.")
        self.endings = tuple(extension.lower() for extension in extensions)
        count = len(self.label_names) or 1
        self._columns = re.compile(r'(.*[^,;\t ])' + rf'{_SEPARATOR}([^,;\t ]+)' * count, re.DOTALL)
        self._more_columns = re.compile(f'(?:{"|".join(map(re.escape, self.endings))})"?[,;\t |:][^/\\\\]*$')

    def __iter__(self) -> Iterator[tuple[str, dict[str, int]]]:
        """`(path, labels)` of each line, the path as it stands there."""
        count = None
        for number, line in self._video_lines():
            path, labels = self._video(number, line)
            count = len(labels) if count is None else count
            if len(labels) != count:
                raise ValueError(f'{self._place(number)} has {len(labels)} labels, but the first line {count}: label '
                                 "all or none, and begin a line that is no video with '# '.")
            yield path, labels
        if count is None:
            raise ValueError(f"The list '{self.ann_file}' is empty: it needs lines 'path [label ...]'.")

    def _video_lines(self) -> Iterator[tuple[int, str]]:
        """Number and text of the lines that are neither comment nor header."""
        lines = ((number, line) for number, line in text_lines(self.ann_file)
                 if line[0] != '#' or not self._is_comment(number, line))
        yield from ((number, line) for number, line in islice(lines, 1) if not self._is_header(number, line))
        yield from lines

    def _place(self, number: int) -> str:
        return f"Line {number} of '{self.ann_file}'"

    def _video(self, number: int, line: str) -> tuple[str, dict[str, int]]:
        names = self.label_names
        if not names:
            if _unquoted(line).lower().endswith(self.endings):
                return _unquoted(line), {}
            names = ('label', )
        match = self._columns.fullmatch(line)
        path = _unquoted(match[1]) if match else line
        is_file = path.lower().endswith(self.endings)
        if match is None and self.label_names:
            raise ValueError(f'{self._place(number)} needs a path and {len(names)} labels ({", ".join(names)}): '
                             f'{_shortened(line)}.')
        if not is_file and self._more_columns.search(path.lower()):
            raise ValueError(f'{self._place(number)} has more columns than a path and its labels: '
                             f"{_shortened(line)}; name all labels with `label_names`, or keep lines 'path label' "
                             'with a blank, tab, comma or semicolon between.')
        if match is None or not (self.label_names or is_file or match[2].strip('"').isdecimal()):
            return _unquoted(line), {}  # a path with blanks and an unusual ending
        return path, {name: self._label(number, name, match[i]) for i, name in enumerate(names, 2)}

    def _label(self, number: int, name: str, text: str) -> int:
        text = text.strip('"')
        if not text.isdecimal() or len(text) > _MOST_DIGITS:
            column = f", label '{name}'" if self.label_names else ''
            size = f' of at most {_MOST_DIGITS} digits' if text.isdecimal() else ''
            raise ValueError(f'{self._place(number)}{column}: {_shortened(text)} is no label; labels are whole numbers '
                             f'from 0{size}.')
        return int(text)

    def _is_comment(self, number: int, line: str) -> bool:
        if line.lstrip('#')[:1].strip():  # the name of a file, or a line that was put out of use
            raise ValueError(f"{self._place(number)} begins with '#': put a blank behind it if the line is a comment, "
                             f"or './' before it if it is a file's name: {_shortened(line)}.")
        return True

    def _is_header(self, number: int, line: str) -> bool:
        cells = [cell.strip('"').lower().replace('_', '') for cell in re.split(_SEPARATOR, line)]
        if _KINETICS <= set(cells):
            raise ValueError(f"{self._place(number)} is that of Kinetics' official annotation, which names no files: "
                             'tools/data/prepare.py makes lists from it and from your videos.')
        own = [name.lower().replace('_', '') for name in self.label_names]
        if len(cells) > 1 and cells[1:] == own:
            return True
        if cells[0] in _PATH_NAMES and set(cells[1:]) <= _LABEL_NAMES:  # alone it may be a folder of pictures
            return len(cells) > 1 or cells[0] not in ('file', 'video')
        if not _PATH_NAMES & set(cells) or not set(',;\t') & set(line) or any(cell.isdecimal() for cell in cells):
            return False
        if cells[0] not in _PATH_NAMES:
            raise ValueError(f'{self._place(number)} names the columns {_shortened(line)}: a list needs the path in '
                             'the first one and labels in those behind it.')
        return True


def list_line(path: str, labels: Iterable[int]) -> str:
    """The line of a list that `ListFile` reads as these."""
    if path[0] in '#"':
        path = '"' + path.replace('"', '""') + '"'
    return ' '.join([path, *map(str, labels)])


def text_lines(path: str | os.PathLike) -> Iterator[tuple[int, str]]:
    """Number and text of each line of a text file that holds something, without blanks around it.

    Raises:
        ValueError: While lines are read, for one that is no UTF-8.
    """
    with open(path, encoding='utf-8-sig', errors='surrogateescape') as lines:  # strict would not know which line
        for number, line in enumerate(lines, 1):
            line = line.strip()
            if '\0' in line or not line.isascii() and (wrong := re.search('[\udc80-\udcff]', line)):
                utf16 = '\0' in line
                what = ('holds zero bytes, as UTF-16 does' if utf16 else
                        f'holds the byte 0x{ord(wrong[0]) - 0xdc00:02x}, as Latin-1 may')
                raise ValueError(f"Line {number} of '{path}' is no UTF-8 text, it {what}: save the file as UTF-8, such "
                                 f'as with iconv -f {"UTF-16" if utf16 else "LATIN1"} -t UTF-8.')
            if line:
                yield number, line


def _unquoted(path: str) -> str:
    return path[1:-1].replace('""', '"') if path[:1] == path[-1:] == '"' and len(path) > 2 else path


def _shortened(text: str, most: int = 80) -> str:
    return repr(text if len(text) <= most else f'{text[:most]}...')
