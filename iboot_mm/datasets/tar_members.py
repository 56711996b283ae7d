"""What a tar file holds, found by reading the headers of its members."""

import json
import os
import posixpath
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field

LABEL_FILES = ('.cls', '.json')
_END = bytes(tarfile.BLOCKSIZE)  # behind the last member


class BadShard(ValueError):
    """A tar file that cannot be used as a shard."""


@dataclass(frozen=True)
class Member:
    """A file within a tar file.

    Attributes:
        name (str): Its path there.
        start (int): Its first byte.
        size (int): Its bytes.
        changed (int): When it last changed before it was packed, ns.
        labels (dict[str, int]): Of the label files that belong to it.
    """

    name: str
    start: int
    size: int
    changed: int
    labels: dict[str, int] = field(default_factory=dict)


def read_members(path: str) -> list[Member]:
    """The files of a plain tar file in the order of storage, without hidden ones and without their label files.

    A label file is named like its file, with its ending (where two files differ in nothing else) or up to the last dot,
    or else, as WebDataset has it, up to the first one. `.cls` holds one whole number, the label 'label'; of `.json`,
    whole numbers from 0 are labels.

    Raises:
        BadShard: If it is none, is cut off, holds a sparse file, a name that is no UTF-8 or leads out of it, or a label
            that is no whole number.
    """
    members, labels = [], {}
    for info, content in _walk(path):
        name = _clean(info.name, path)
        if posixpath.basename(name).startswith('.'):
            continue
        if content is None:
            members.append(Member(name, info.offset_data, info.size, int(info.mtime * 1e9)))
        else:
            stem, ending = posixpath.splitext(name)
            labels.setdefault(stem, {}).update(_read_labels(content, ending, f"'{name}' in '{path}'"))
    for member in members:
        keys = member.name, posixpath.splitext(member.name)[0], _webdataset_key(member.name)
        member.labels.update(next((labels[key] for key in keys if key in labels), {}))
    return members


def _walk(path: str) -> Iterator[tuple[tarfile.TarInfo, bytes | None]]:
    """Header of each file, and the content of label files."""
    size = os.path.getsize(path)
    last = 'its start'
    try:
        with tarfile.open(path, 'r:') as tar:
            while (info := tar.next()) is not None:
                tar.members.clear()  # which tarfile would keep
                if info.issparse():
                    raise BadShard(f"'{info.name}' in '{path}' is a sparse file, whose bytes do not lie in one piece: "
                                   'pack it anew with tools/data/pack_shards.py')
                last = f"'{info.name}'"
                if info.isreg():
                    is_label = info.name.lower().endswith(LABEL_FILES)
                    yield info, tar.extractfile(info).read() if is_label else None
            end = tar.offset
    except tarfile.TarError as error:
        raise BadShard(f"'{path}' is no whole, uncompressed tar file ({error}, behind {last}): copy it again, or "
                       'unpack it if it is compressed') from error
    with open(path, 'rb') as file:
        file.seek(end)
        if size and any(block != _END[:len(block)] for block in iter(lambda: file.read(len(_END)), b'')) or end >= size:
            raise BadShard(f"'{path}' ends without an end mark or holds more behind it, behind {last}: it is cut off, "
                           'damaged, or two tar files in one; copy it again')


def _clean(name: str, path: str) -> str:
    cleaned = posixpath.normpath(name).lstrip('/')
    try:
        cleaned.encode()
    except UnicodeEncodeError:
        raise BadShard(f"'{path}' holds {name!r}, whose name is no UTF-8: pack it anew") from None
    if cleaned.startswith('../'):
        raise BadShard(f"'{path}' holds '{name}', which leads out of it: pack it anew")
    return cleaned


def _webdataset_key(name: str) -> str:
    """WebDataset's key: the path up to the first dot of the file's name."""
    folder, _, base = name.rpartition('/')
    return posixpath.join(folder, base.partition('.')[0])


def _read_labels(content: bytes, ending: str, place: str) -> dict[str, int]:
    if ending.lower() == '.cls':
        text = content.decode('latin-1').strip()
        if not text.isdecimal():
            raise BadShard(f'{place}: {text[:40]!r} is no label; labels are whole numbers from 0')
        return dict(label=int(text))
    try:
        values = json.loads(content)
    except ValueError as error:
        raise BadShard(f'{place} is no JSON ({error})') from error
    pairs = values.items() if isinstance(values, dict) else ()
    return {name: value for name, value in pairs if type(value) is int and 0 <= value < 2**63}
