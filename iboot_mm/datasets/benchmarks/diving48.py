"""Diving48 V2: `rgb/NAME.mp4` and the files `Diving48_*.json`."""

from pathlib import Path

from .annotation import Annotation, Clip, Part, find_file, read_json

_SUBFOLDERS = ('annotations', 'labels')
_HINT = 'download the files of V2 (the cleaned labels) there'


def read_diving48(folder: Path) -> Annotation:
    """Read `Diving48_vocab.json` (`[["Back", "15som", "05Twis", "FREE"], ...]`), `Diving48_V2_train.json` and
    `Diving48_V2_test.json` (`[{"vid_name": "_8Vy3dlHg2w_00000", "label": 39}]`).

    Raises:
        FileNotFoundError: If one of the files is missing.
        ValueError: For a file of another form.
    """
    classes = [' '.join(words) for words in read_json(_find(folder, 'vocab'))]
    parts = []
    for part, name in (('train', 'V2_train'), ('val', 'V2_test')):
        path = _find(folder, name)
        try:
            clips = [Clip((item['vid_name'],), int(item['label']), item['vid_name']) for item in read_json(path)]
        except (KeyError, TypeError) as error:
            raise ValueError(f"'{path}' should hold a list of entries with 'vid_name' and 'label'.") from error
        unknown = [clip for clip in clips if not 0 <= clip.label < len(classes)]
        if unknown:
            raise ValueError(f"'{path}' gives {unknown[0].target} the label {unknown[0].label}; there are "
                             f'{len(classes)} classes, numbered from 0.')
        parts.append(Part(f'diving48_{part}_list_videos.txt', 'videos', clips))
    return Annotation(classes, parts)


def _find(folder: Path, name: str) -> Path:
    return find_file(folder, [f'Diving48_{name}.json'], _SUBFOLDERS, _HINT)
