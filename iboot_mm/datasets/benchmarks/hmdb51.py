"""HMDB51: a folder per class, and three splits in `testTrainMulti_7030_splits`."""

import re
from pathlib import Path

from .annotation import Annotation, Clip, Part, find_file, from_columns, read_lines

_SUBFOLDERS = ('testTrainMulti_7030_splits', 'annotations')
_CODES = dict(train='1', val='2')  # '0': in neither


def read_hmdb51(folder: Path) -> Annotation:
    """Read `CLASS_test_split1.txt` to 3 of every class, lines `FILE.avi CODE` with the code 1 (train), 2 (test) or 0.

    Classes are numbered in the order of their names, as MMAction2 does.

    Raises:
        FileNotFoundError: If there are no such files, or those of one class are not complete.
        ValueError: For a line of another form.
    """
    hint = 'unpack test_train_splits.rar there'
    # HMDB51's first class; the others lie beside it.
    splits = find_file(folder, ['brush_hair_test_split1.txt'], _SUBFOLDERS, hint).parent
    found = (re.fullmatch(r'(.+)_test_split[123]\.txt', path.name) for path in splits.iterdir())
    classes = sorted({match.group(1) for match in found if match})
    parts = []
    for split in (1, 2, 3):
        codes = {name: _read_codes(find_file(splits, [f'{name}_test_split{split}.txt'], (), hint)) for name in classes}
        for part, code in _CODES.items():
            clips = [Clip((f'{name}/{stem}',), label, f'{name}/{stem}') for label, name in enumerate(classes)
                     for stem, its_code in codes[name] if its_code == code]
            parts.append(Part(f'hmdb51_{part}_split_{split}_videos.txt', 'videos', clips))
    return Annotation(classes, parts)


def hmdb51_key(path: Path) -> str:
    """File and folder: nothing promises that no two classes use a name."""
    return f'{path.parent.name}/{path.stem}'


def _read_codes(path: Path) -> list[tuple[str, str]]:
    columns = [from_columns(line, 2, path)[:2] for line in read_lines(path)]
    for name, code in columns:
        if code not in ('0', '1', '2'):
            raise ValueError(f"'{path}' gives {name} the code {code!r}, which should be 0, 1 or 2.")
    return [(Path(name).stem, code) for name, code in columns]
