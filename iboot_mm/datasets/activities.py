"""Videos in which several activities happen, each from one second to another: Charades (arXiv:1604.01753)."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmaction.registry import DATASETS

from .listing import index_named_videos, locate
from .video_folder import VideoFolder

Activity = tuple[int, float, float]  # class from 0, first and last second


@DATASETS.register_module()
class ActivityVideos(VideoFolder):
    """Charades' own annotations, and videos named after its ids; to be packed by `PackActivities`.

    Args:
        root (str): Folder of the videos, files or folders of frames.
        ann_file (str): `Charades_v1_train.csv` or `Charades_v1_test.csv`; of its columns `id` and `actions` are read,
            such as `c092 11.90 21.20;c147 0.00 12.60`.
        num_classes (int): Activities, numbered from `c000`.
        pipeline (list): As of `VideoFolder`, with `PackActivities` at its end.
        kwargs: Of `VideoFolder`.

    Raises:
        FileNotFoundError: If there is no such folder or file, or a video is missing.
        ValueError: For a file of another form.
    """

    def __init__(self, root: str, ann_file: str, pipeline: Sequence[dict | Callable] = (), num_classes: int = 157,
                 **kwargs: Any) -> None:
        super().__init__(root, ann_file, pipeline=pipeline, num_classes=num_classes, **kwargs)

    def load_data_list(self) -> list[dict]:
        """`dict(filename, labels, activities)` for each video, the last a list of (class, first, last second)."""
        ann_file = locate(self.ann_file, self.root)
        annotated = read_activities(ann_file, self.num_classes)
        videos = index_named_videos(self.root, annotated, ann_file)
        return [dict(filename=videos[name], labels={}, activities=activities)
                for name, activities in annotated.items()]


def read_activities(path: str | Path, num_classes: int) -> dict[str, list[Activity]]:
    """The activities of each video of a csv file of Charades; a video may have none.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: For a file of another form, or a class beyond `num_classes`.
    """
    return {row['id']: parse_activities(row['actions'], f"'{path}', video {row['id']}", num_classes)
            for row in read_table(path)}


def read_table(path: str | Path) -> list[dict[str, str]]:
    """The rows of a csv file of Charades.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it has no columns `id` and `actions`, or no row.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no list '{path}': tools/data/prepare.py charades writes those of the videos "
                                'that are there.')
    with open(path, newline='', encoding='utf-8-sig') as lines:
        reader = csv.DictReader(lines)
        rows = list(reader)
    if not rows or None in [rows[0].get('id'), rows[0].get('actions')]:
        raise ValueError(f"'{path}' should be a table with a first line of names, among them 'id' and 'actions', and a "
                         'line for each video.')
    return rows


def parse_activities(text: str | None, place: str, num_classes: int) -> list[Activity]:
    """`c092 11.90 21.20;c147 0.00 12.60` as (92, 11.9, 21.2), (147, 0, 12.6).

    Raises:
        ValueError: For a text of another form; names `place`.
    """
    activities = []
    for part in (text or '').split(';') if text else ():
        try:
            name, first, last = part.split()
            label = int(name.removeprefix('c'))
            activities.append((label, float(first), float(last)))
        except ValueError as error:
            raise ValueError(f"{place}: {part!r} is no activity such as 'c092 11.90 21.20'.") from error
        if not 0 <= label < num_classes:
            raise ValueError(f'{place}: there is no activity {name} among {num_classes}.')
    return activities
