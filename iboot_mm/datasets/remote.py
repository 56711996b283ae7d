"""Videos at addresses such as `https://host/a.mp4` or `s3://bucket/a.mp4`, through fsspec (`pip install -e .[remote]`).

Only the parts of a file that are asked for are fetched, a block at a time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

BLOCK = 2**20  # bytes of a request


def is_remote(path: str) -> bool:
    """Whether a path is an address."""
    return '://' in path


def remote_filesystem(path: str) -> tuple[Any, str]:
    """fsspec's file system of an address, and the path there.

    Raises:
        ImportError: If the library for this protocol is not installed.
        FileNotFoundError: If fsspec does not know the protocol.
    """
    try:
        from fsspec.core import url_to_fs
        return url_to_fs(path)
    except ImportError as error:
        raise ImportError(f"'{path}' is read through fsspec ({error}): pip install -e .[remote], and s3fs for s3://, "
                          'gcsfs for gs://') from error
    except ValueError as error:
        raise FileNotFoundError(f"'{path}': {error}") from error


def open_remote(path: str) -> BinaryIO:
    """A remote file, to be read from any place.

    Raises:
        OSError: If it cannot be reached.
        ImportError: See `remote_filesystem`.
    """
    filesystem, place = remote_filesystem(path)
    with as_os_errors(path):
        return filesystem.open(place, 'rb', block_size=BLOCK)


def stat_remote(path: str) -> tuple[int, str]:
    """Bytes of a remote file, and what tells its versions apart ('' where the server says nothing).

    Raises:
        FileNotFoundError: If there is none.
        IsADirectoryError: If it is a folder.
        OSError: If the server does not say how large it is.
        ImportError: See `remote_filesystem`.
    """
    filesystem, place = remote_filesystem(path)
    with as_os_errors(path):
        about = filesystem.info(place)
    if about['type'] == 'directory':
        raise IsADirectoryError(f"'{path}' is a folder")
    if about['size'] is None:
        raise OSError(f"the server does not say how large '{path}' is")
    versions = (about.get(key) for key in ('mtime', 'LastModified', 'last_modified', 'ETag', 'created'))
    return about['size'], next((str(version) for version in versions if version), '')


@contextmanager
def as_os_errors(path: str) -> Iterator[None]:
    """Turns what the libraries behind fsspec raise when a server fails into `OSError`."""
    try:
        yield
    except (OSError, ImportError):
        raise
    except Exception as error:  # they have no base class of their own
        raise OSError(f"'{path}': {type(error).__name__}: {error}") from error
