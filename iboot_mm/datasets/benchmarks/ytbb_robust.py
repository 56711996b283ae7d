"""YTBB-Robust (Shankar et al., https://arxiv.org/abs/1906.02168): a folder with

- `ytbb_videos/VIDEO_MILLISECONDS/frame-NUMBER.jpg`, the frames, as published;
- `metadata`, the lists of public code (mlfoundations/wise-ft, `src/datasets/ytbb-robust_metadata`; this follows its
  `ytbb_robust.py`, and was not run on the benchmark itself): `anchor_labels.json` and `pmk_labels.json`, what people
  said of anchors and of their neighbours, `ytbb_robustness_test_anchors_full.csv`, the class that each anchor began
  with, `ytbb_class_index.json`, the names of the 24 classes, and `class_idx_map.json`, as which of them a class of
  ImageNet counts.

An anchor's classes are the one that it began with and those that people added; they are its neighbours' too.
"""

import csv
import os
from pathlib import Path

from pydantic import BaseModel, Field, model_validator

from .vid_robust import ReviewedSet, read_json

VIDEOS = 'ytbb_videos'
ANCHORS, NEIGHBOURS, FIRST, NAMES, CLASSES = (f'metadata/{name}' for name in (
    'anchor_labels.json', 'pmk_labels.json', 'ytbb_robustness_test_anchors_full.csv', 'ytbb_class_index.json',
    'class_idx_map.json'))
ADVICE = (f'name the folder of YTBB-Robust that holds {VIDEOS}, and put wise-ft\'s ytbb-robust_metadata there as '
          '`metadata`')
SWAPPED = {22: 23, 23: 22}  # the table of first classes numbers "car" and "none" the other way round
NONE = 22  # "none" is never predicted
UNLIKE = {'dissimilar', 'problematic', 'incorrect', 'dont know', 'deformation', 'background-change',
          'occlusion-increased', 'blur-increase', 'bad-anchor'}


class _Row(BaseModel):
    key: str = Field(pattern=r'frame-\d+\.jpg$')
    labels: list[int]


class _Annotations(BaseModel):
    annotations: list[_Row]
    labels: list[str]

    @model_validator(mode='after')
    def _every_number_has_a_name(self) -> '_Annotations':
        for row in self.annotations:
            if not all(0 <= number < len(self.labels) for number in row.labels):
                raise ValueError(f'{row.key} has a label without a name')
        return self

    def said(self) -> dict[str, set[str]]:
        """What is said of each key, by name; of several rows the last one holds."""
        return {row.key: {self.labels[number] for number in row.labels} for row in self.annotations}


def read_reviewed_sets(root: str | Path, radius: int = 10) -> list[ReviewedSet]:
    """The anchors that people found good, with the neighbours that they found alike, as paths.

    Args:
        root: The folder.
        radius: Up to how many frames before and after.

    Raises:
        FileNotFoundError: A list is missing.
        ValueError: A list has another form, or an anchor no first class.
    """
    anchors = {_frame(key): words for key, words in read_json(root, ANCHORS, _Annotations, ADVICE).said().items()}
    pairs = {tuple(map(_frame, key.partition(',')[::2])): words
             for key, words in read_json(root, NEIGHBOURS, _Annotations, ADVICE).said().items()}
    bad = {anchor for (anchor, _), words in pairs.items() if 'bad-anchor' in words}
    numbers = {name: number for number, name in read_json(root, NAMES, dict[int, str], ADVICE).items()}
    first = _first_classes(root)
    found = []
    for anchor, words in anchors.items():
        if 'good' not in words or words & {'bad', 'unsure'} or anchor in bad:
            continue
        video, _, name = anchor.partition('/')
        if video not in first:
            raise ValueError(f"'{Path(root) / FIRST}' has no class of {video}, which {ANCHORS} names: take both of one "
                             'release')
        number = int(name.removeprefix('frame-').partition('.')[0])
        around = [f'{video}/frame-{number + step}.jpg' for step in range(-radius, radius + 1) if step]
        alike = [frame for frame in around
                 if 'similar' in (said := pairs.get((anchor, frame), set())) and not said & UNLIKE]
        classes = frozenset({first[video]} | {numbers[word] for word in words if word in numbers})
        paths = [os.path.join(root, VIDEOS, frame) for frame in (anchor, *alike)]
        found.append(ReviewedSet(paths[0], tuple(paths[1:]), dict.fromkeys(paths, classes)))
    if not found:
        raise ValueError(f"'{Path(root) / ANCHORS}' names no anchor that is good")
    return found


def read_class_map(root: str | Path) -> dict[int, int]:
    """Of each class of ImageNet that counts, as which of the 24.

    Raises:
        FileNotFoundError: The file is missing.
        ValueError: It has another form.
    """
    return read_json(root, CLASSES, dict[int, int], ADVICE)


def _first_classes(root: str | Path) -> dict[str, int]:
    path = Path(root) / FIRST
    if not path.is_file():
        raise FileNotFoundError(f"there is no '{path}': {ADVICE}")
    with path.open(newline='') as file:
        rows = csv.DictReader(file)
        try:
            labels = {f"{row['ytid']}_{row['time_ms']}": int(row['label']) for row in rows}
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"'{path}' is not as published: line {rows.line_num} is no ytid,time_ms,label") from None
    return {video: SWAPPED.get(label, label) for video, label in labels.items()}


def _frame(key: str) -> str:
    return '/'.join(key.split('/')[-2:])
