"""What a data set is of, so that what is stored of its videos is used again for the same videos only."""

import os
from collections.abc import Iterator

from torch.utils.data import Dataset

from ..stores.identity import digest_lines, without_places
from .shards import without_shard
from .sources import source_exists, stat_source


def data_identity(dataset: Dataset, config: dict) -> dict:
    """The videos of a data set and its config without paths.

    Videos are told by their names below their common folder, their labels and the size of their files, which is looked
    up for a thousand of them, evenly spaced (on a network disk, all may take minutes). Files and their copies in shards
    are the same.

    Args:
        dataset: Any data set of MMAction2 or of this project whose entries have a ``filename``.
        config: What it was built from.
    """
    count = len(dataset)
    common = os.path.commonpath({os.path.dirname(name) for name, _ in _names(dataset)})
    some = (str(dataset.get_data_info(index)['filename']) for index in range(0, count, count // 1000 + 1))
    sizes = [_size(file) for file in some]

    def lines() -> Iterator[str]:
        yield from (f'{os.path.relpath(name, common)} {label}\n' for name, label in _names(dataset))
        yield str(sizes)

    return dict(videos=count, list=digest_lines(lines()), config=without_places(config))


def _names(dataset: Dataset) -> Iterator[tuple[str, object]]:
    """Name and labels of each video; one by one, since millions of them take gigabytes."""
    for index in range(len(dataset)):
        entry = dataset.get_data_info(index)
        yield without_shard(str(entry['filename'])), entry.get('labels', entry.get('label'))


def _size(file: str) -> int | None:
    if os.path.isdir(file):  # of pictures
        return os.path.getsize(file)
    return stat_source(file).size if source_exists(file) else None
