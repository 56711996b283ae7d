"""Where the bytes of a video lie: in a file of its own, within a tar shard, or at a remote address."""

import io
import os
from dataclasses import dataclass
from typing import Any, BinaryIO

from .remote import as_os_errors, is_remote, open_remote, stat_remote
from .shards import locate, split_shard


@dataclass(frozen=True)
class SourceStat:
    """What is known of a video without reading it.

    Attributes:
        size (int): Its bytes.
        changed (int | str): When it last changed, ns (of one in a shard, before it was packed); of a remote one,
            whatever the server tells versions by, '' if nothing.
        file (tuple[int, ...]): Of a file of its own: device, inode and when that changed, ns. Other content of the same
            size and time has another; so does the same content, moved or copied.
    """

    size: int
    changed: int | str
    file: tuple[int, ...] = ()


class ByteRange(io.RawIOBase):
    """A part of a file as a file of its own.

    Args:
        file (BinaryIO): The whole file, which is closed with this one.
        start (int): First byte of the part.
        size (int): Bytes.
        name (str): Whose ending tells FFmpeg the kind of file.
    """

    def __init__(self, file: BinaryIO, start: int, size: int, name: str) -> None:
        self.name = name
        self._file, self._start, self._size, self._place = file, start, size, 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """The place in the part."""
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place in the part."""
        place = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence] + offset
        if place < 0:
            raise ValueError(f'{self.name}: no place lies {-place} bytes before its start')
        self._place = place
        return place

    def readinto(self, buffer: Any) -> int:  # collections.abc.Buffer, from Python 3.12 on
        """Fill a buffer as far as the part goes."""
        with as_os_errors(self.name):
            self._file.seek(self._start + self._place)
            count = self._file.readinto(memoryview(buffer)[:max(0, self._size - self._place)])
        self._place += count
        return count

    def close(self) -> None:
        """Close the whole file."""
        if not self.closed:
            self._file.close()
        super().close()


def is_plain_file(path: str) -> bool:
    """Whether any library can open a path by itself."""
    return not is_remote(path) and split_shard(path) is None


def open_source(path: str) -> BinaryIO:
    """A video's bytes, to be read from any place.

    Raises:
        OSError: If there is no such video, or it cannot be reached.
        ImportError: If a remote path needs a library that is not installed.
    """
    parts = split_shard(path)
    if parts is None and not is_remote(path):
        return open(path, 'rb')
    whole = path if parts is None else parts[0]
    start, size = (0, stat_remote(path)[0]) if parts is None else locate(*parts)[:2]
    file = open_remote(whole) if is_remote(whole) else open(whole, 'rb', buffering=0)
    return ByteRange(file, start, size, path)


def stat_source(path: str) -> SourceStat:
    """What is known of a video; see `SourceStat`.

    Raises:
        FileNotFoundError: If there is no such video.
        IsADirectoryError: If it is a folder.
        ImportError: If a remote path needs a library that is not installed.
    """
    if (parts := split_shard(path)) is not None:
        return SourceStat(*locate(*parts)[1:])
    if is_remote(path):
        return SourceStat(*stat_remote(path))
    about = os.stat(path)
    if os.path.isdir(path):
        raise IsADirectoryError(f"'{path}' is a folder")
    return SourceStat(about.st_size, about.st_mtime_ns, (about.st_dev, about.st_ino, about.st_ctime_ns))


def source_exists(path: str) -> bool:
    """Whether there is anything at a path: a file, a folder, a video in a shard, something remote."""
    try:
        stat_source(path)
    except IsADirectoryError:
        return True
    except OSError:
        return False
    return True
