"""Something-Something v2: `20bn-something-something-v2/ID.webm` and, in `labels`, three JSON files."""

from pathlib import Path

from .annotation import Annotation, Clip, Part, find_file, look_up, read_json

_SUBFOLDERS = ('labels', 'annotations')
_HINT = 'unpack the label archive of Something-Something v2 there'
_PARTS = dict(train='train', val='validation')


def read_ssv2(folder: Path) -> Annotation:
    """Read `labels.json` (`{"Holding something": "0"}`), `train.json` and `validation.json` (`[{"id": "78687",
    "template": "Holding [something]"}]`), also by their older names `something-something-v2-*.json`.

    Raises:
        FileNotFoundError: If one of the files is missing.
        ValueError: For a file of another form.
    """
    path = _find(folder, 'labels')
    labels = read_json(path)
    try:
        index = {_plain(name): int(number) for name, number in labels.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"'{path}' should hold {{class: number}}.") from error
    classes = sorted(labels, key=lambda name: int(labels[name]))
    if [int(labels[name]) for name in classes] != list(range(len(classes))):
        raise ValueError(f"'{path}' does not number its classes from 0 without gaps.")
    parts = []
    for part, name in _PARTS.items():
        path = _find(folder, name)
        try:
            clips = [Clip((item['id'],), look_up(index, _plain(item['template']), path), item['id'])
                     for item in read_json(path)]
        except (KeyError, TypeError) as error:
            raise ValueError(f"'{path}' should hold a list of entries with 'id' and 'template'.") from error
        parts.append(Part(f'sthv2_{part}_list_videos.txt', 'videos', clips))
    return Annotation(classes, parts)


def _find(folder: Path, name: str) -> Path:
    return find_file(folder, [f'{name}.json', f'something-something-v2-{name}.json'], _SUBFOLDERS, _HINT)


def _plain(template: str) -> str:
    """Placeholders carry brackets in the annotations and none among the labels."""
    return template.replace('[', '').replace(']', '')
