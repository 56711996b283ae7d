"""Which videos there are: files below a folder, members of shards, lines of a list, be it ever so long."""

import os
import re
from collections.abc import Sequence

from mmengine.logging import print_log

from ..stores.tables import SharedTable, cached_path, shared_table
from .list_file import ListFile
from .listing import a_few, none_exists, scan_folder
from .long_lists import is_long, list_table
from .remote import as_os_errors, is_remote, remote_filesystem
from .shards import INDEX, LABEL, find_shards, read_index
from .sources import source_exists
from .video_table import VideoTable


def videos_of_folder(root: str, extensions: Sequence[str], label_names: Sequence[str] | None) -> Sequence[dict]:
    """One `dict(filename, labels)` for each video below a folder, sorted by name: files, else members of tar shards.

    Args:
        root (str): The folder, or its address.
        extensions (Sequence[str]): Endings of file names that count as videos.
        label_names (Sequence[str], optional): Which labels of the shards to give. None: 'label' if they have it.

    Raises:
        FileNotFoundError: If there is no such folder or no video in it.
        ValueError: For labels that not all of its videos have.
    """
    try:
        paths = _scan_remote(root, extensions) if is_remote(root) else scan_folder(root, extensions)
    except FileNotFoundError:
        if _has_shards(root):
            return _members(root, extensions, label_names)
        if not label_names:
            raise
    if label_names:
        raise ValueError(f'VideoFolder: label_names={list(label_names)} need an ann_file to read labels from.')
    return [dict(filename=path, labels={}) for path in paths]


def videos_of_list(ann_file: str, root: str, extensions: Sequence[str],
                   label_names: Sequence[str] | None) -> Sequence[dict]:
    """One `dict(filename, labels)` for each line of a list, in its order; of files, else of members of tar shards.

    Whether all are there is found out when they are read, since looking up hundreds of thousands of paths takes minutes
    on a network disk; only if none of a few exists, the list and `root` cannot belong together.

    Raises:
        FileNotFoundError: If there is no such list, or none of its videos.
        ValueError: As `ListFile` does.
    """
    lines = ListFile(ann_file, label_names, extensions)
    if is_long(ann_file):
        videos = _table(root, list_table(lines))
    else:
        videos = [dict(filename=os.path.join(root, path), labels=labels) for path, labels in lines]
    if any(source_exists(video['filename']) for video in a_few(videos)):
        return videos
    if not _has_shards(root):
        raise none_exists(ann_file, videos[0]['filename'])
    return _table(root, _with_shards(list_table(lines), root, ann_file))


def _table(root: str, columns: SharedTable) -> VideoTable:
    names = columns.table.column_names
    return VideoTable(root, columns, [name.removeprefix(LABEL) for name in names if name.startswith(LABEL)])


def _has_shards(root: str) -> bool:
    if is_remote(root):
        return source_exists(f'{root}/{INDEX}')
    return os.path.isdir(root) and bool(find_shards(root))


def _members(root: str, extensions: Sequence[str], label_names: Sequence[str] | None) -> VideoTable:
    """The videos in the shards of a folder."""
    import pyarrow.compute as pc
    columns = read_index(root)
    ending = f'(?i)(?:{"|".join(map(re.escape, extensions))})$'
    is_video = pc.match_substring_regex(columns.table['file'], ending).to_numpy()
    if not is_video.any():
        raise FileNotFoundError(f"The tar files in '{root}' hold no video ({', '.join(extensions)}): set `root` to a "
                                'folder of shards, or name other `extensions`.')
    rows = None if is_video.all() else is_video.nonzero()[0]
    there = [name.removeprefix(LABEL) for name in columns.table.column_names if name.startswith(LABEL)]
    wanted = list(label_names or [name for name in there if name == 'label'])
    videos = VideoTable(root, columns, [name for name in wanted if name in there], rows=rows)
    for name in wanted:
        unlabelled = (videos.labels(name) < 0).nonzero()[0] if name in there else range(len(videos))
        if len(unlabelled):
            raise ValueError(f"{len(unlabelled)} of {len(videos)} videos in the shards of '{root}' have no label "
                             f"'{name}', the first is '{videos[int(unlabelled[0])]['filename']}' (labels are "
                             f"{there or 'none'}): name others by `label_names`, or give an ann_file.")
    return videos


def _with_shards(columns: SharedTable, root: str, ann_file: str) -> SharedTable:
    """A list with the shard of each of its videos; null of those that are in none."""
    import pyarrow as pa
    import pyarrow.compute as pc
    index = read_index(root)

    def look_up() -> pa.RecordBatchReader:
        names = pc.replace_substring_regex(columns.table['file'], r'^(\./)+', '')
        rows = pc.index_in(names, value_set=index.table['file'])
        table = columns.table.replace_schema_metadata().set_column(0, 'file', names)
        return table.append_column('shard', index.table['shard'].take(rows)).to_reader()

    if columns.path is None:
        found = SharedTable(look_up().read_all())
    else:
        stamps = [os.stat(path).st_mtime_ns for path in (columns.path, index.path or root)]
        place = cached_path('list in shards', str(columns.path), os.path.realpath(root))
        found = shared_table([place], dict(stamps=stamps), look_up)
    missing = found.table['shard'].null_count
    if missing == len(found.table):
        raise none_exists(ann_file, os.path.join(root, found.table['file'][0].as_py()))
    if missing:
        row = pc.index(pc.is_null(found.table['shard']), True).as_py()
        print_log(f"{missing} of {len(found.table)} videos of '{ann_file}' are in no shard of '{root}', the first is "
                  f"'{found.table['file'][row].as_py()}'.", 'current', level=30)
    return found


def _scan_remote(root: str, extensions: Sequence[str]) -> list[str]:
    """Videos below an address, sorted, where its protocol can list them."""
    filesystem, place = remote_filesystem(root)
    with as_os_errors(root):
        found = [filesystem.unstrip_protocol(path) for path in filesystem.find(place)]
    endings = tuple(extension.lower() for extension in extensions)
    videos = sorted(path for path in found if path.lower().endswith(endings))
    if not videos:
        raise FileNotFoundError(f"'{root}' holds no video ({', '.join(extensions)}), or cannot be listed: give an "
                                'ann_file.')
    return videos
