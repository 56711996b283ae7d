"""The videos and lists that a config reads: one's own in their place, how many there are, what they say."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmaction.registry import DATASETS
from mmengine.config import Config, ConfigDict

from ...datasets import VideoFolder

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


@dataclass(frozen=True)
class LabelledVideos:
    """Videos of one's own, with lists of lines `path label`.

    Attributes:
        root: The folder that the lists' paths are relative to.
        train: List of what is trained on, or of the gallery.
        test: List of what is tested, or of the queries.
        class_names: File with a name for each class, one a line; for zero-shot classification.
    """

    root: Path
    train: Path
    test: Path
    class_names: Path | None = None

    def labels(self) -> tuple[list[int], list[int]]:
        """The classes of both lists, line by line.

        Raises:
            ValueError: a list has none.
        """
        parts = [[entry['labels'].get('label') for entry in VideoFolder(
            root=str(self.root), ann_file=str(file), lazy_init=True).load_data_list()]
            for file in (self.train, self.test)]
        if None in parts[0] + parts[1]:
            raise ValueError(f'{self.train} and {self.test} need a class after each path: an evaluation compares with '
                             'labels')
        return parts[0], parts[1]


def datasets(cfg: Config) -> Iterator[tuple[str, ConfigDict]]:
    """Each data set of a config with the dataloader it belongs to; the parts of a ``ConcatDataset`` one by one."""
    for loader in LOADERS:
        if cfg.get(loader):
            dataset = cfg[loader].dataset
            yield from ((loader, part) for part in dataset.get('datasets', [dataset]))


def count_videos(cfg: Config) -> dict[str, dict[str, int | None]]:
    """How many videos the lists of training and test hold, beside how many officially belong to them.

    Copies of Kinetics differ, so a figure says little without it. The official number is known of the lists of
    ``tools/data/prepare.py``, which leaves a ``counts.json`` beside them.

    Returns:
        ``train`` and ``test``, or ``gallery`` and ``query``: ``dict(videos, official)``.
    """
    counts = {}
    for loader, dataset in datasets(cfg):
        if loader != 'val_dataloader':
            content = read_list_of(dataset)
            counts[dataset.get('role') or loader.partition('_')[0]] = dict(
                videos=getattr(content, 'num_videos', len(content)), official=official_count(content.ann_file))
    return counts


def read_list_of(dataset: ConfigDict) -> VideoFolder:
    """A config's data set without its pipeline."""
    return DATASETS.build({key: value for key, value in dataset.items() if key not in ('pipeline', 'lazy_init')})


def digest_lists(cfg: Config) -> dict[str, str]:
    """The first digits of the SHA-256 of each list that a config reads.

    Raises:
        FileNotFoundError: a list is not there.
    """
    digests = {}
    for _, dataset in datasets(cfg):
        for file in (Path(dataset.ann_file), Path(dataset.root) / dataset.ann_file):
            if file.is_file():
                digests[dataset.ann_file] = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
                break
        else:
            raise FileNotFoundError(f'there is no list {dataset.ann_file}: tools/data/prepare.py writes those of whole '
                                    'data sets, tools/data/make_subset.py those of a part of the labels')
    return digests


def official_count(ann_file: str) -> int | None:
    """How many videos a list of ``tools/data/prepare.py`` officially has."""
    path = Path(ann_file).parent / 'counts.json'
    if not ann_file or not path.is_file():
        return None
    return json.loads(path.read_text())['lists'].get(Path(ann_file).name, {}).get('official')
