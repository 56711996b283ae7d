"""ImageNet-Vid-Robust (Shankar et al., https://arxiv.org/abs/1906.02168) as it is published: a folder with

- `val/VIDEO/FRAME.jpg`, the frames;
- `metadata/pmsets.json`, of each anchor frame the neighbours that people found to be like it, up to 10 on either side;
- `metadata/labels.json`, of each frame its classes, one or several of 30;
- `misc/wnid_map.json`, `misc/imagenet_class_index.json` and `misc/imagenet_vid_class_index.json`, which together say as
  which of the 30 a class of ImageNet counts.

Frames are named by their path below the folder.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

SETS, LABELS = 'metadata/pmsets.json', 'metadata/labels.json'
SAME_CLASS, CLASSES, COARSE = (f'misc/{name}.json' for name in (
    'wnid_map', 'imagenet_class_index', 'imagenet_vid_class_index'))
ADVICE = 'name the folder of ImageNet-Vid-Robust as published, which holds val, metadata and misc'
T = TypeVar('T')


@dataclass(frozen=True)
class ReviewedSet:
    """An anchor frame and what is around it.

    Attributes:
        anchor (str): Path of the anchor.
        neighbours (tuple[str, ...]): Paths of the other frames.
        labels (Mapping[str, frozenset[int]]): Right classes of the anchor and of each neighbour.
    """

    anchor: str
    neighbours: tuple[str, ...]
    labels: Mapping[str, frozenset[int]]


def read_reviewed_sets(root: str | Path) -> list[ReviewedSet]:
    """All sets, their paths joined to `root`.

    Raises:
        FileNotFoundError: A list is missing.
        ValueError: A list has another form, or a frame no label.
    """
    sets = read_json(root, SETS, dict[str, list[str]])
    labels = read_json(root, LABELS, dict[str, list[int]])
    found = []
    for anchor, neighbours in sets.items():
        for frame in (anchor, *neighbours):
            if not labels.get(frame):
                raise ValueError(f"'{Path(root) / LABELS}' has no label of {frame}, which {SETS} names: take both "
                                 'lists of one release')
        paths = {frame: os.path.join(root, frame) for frame in (anchor, *neighbours)}
        found.append(ReviewedSet(paths[anchor], tuple(paths[frame] for frame in neighbours),
                                 {path: frozenset(labels[frame]) for frame, path in paths.items()}))
    if not found:
        raise ValueError(f"'{Path(root) / SETS}' names no anchor frame")
    return found


def read_class_map(root: str | Path) -> dict[int, int]:
    """Of each class of ImageNet that counts, as which of the 30.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A file has another form, or names a class that its index lacks.
    """
    same = read_json(root, SAME_CLASS, dict[str, str])
    index = {}
    for name in (CLASSES, COARSE):
        entries = read_json(root, name, dict[int, tuple[str, str]])
        index[name] = {synset: number for number, (synset, _) in entries.items()}
    for name, synsets in ((CLASSES, same), (COARSE, same.values())):
        if unknown := next((synset for synset in synsets if synset not in index[name]), None):
            raise ValueError(f"'{Path(root) / name}' lacks {unknown}, which {SAME_CLASS} names: take both of one "
                             'release')
    return {index[CLASSES][fine]: index[COARSE][coarse] for fine, coarse in same.items()}


def read_json(root: str | Path, name: str, form: type[T], advice: str = ADVICE) -> T:
    """A file of a benchmark.

    Args:
        root: The benchmark's folder.
        name: Path of the file in it.
        form: What it must hold.
        advice: What to do where it is missing, for the message.

    Raises:
        FileNotFoundError: It is missing.
        ValueError: It has another form.
    """
    path = Path(root) / name
    if not path.is_file():
        raise FileNotFoundError(f"there is no '{path}': {advice}")
    try:
        return TypeAdapter(form).validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = '/'.join(map(str, first['loc'])) or 'its whole'
        raise ValueError(f"'{path}' is not as published: {place}: {first['msg']}") from None
