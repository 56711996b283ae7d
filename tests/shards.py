"""Writes tar shards as other tools do, with Python's own tarfile."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path


def write_tar(path: str | Path, members: Mapping[str, bytes], **options) -> str:
    """Write members in the order given; returns the path."""
    with tarfile.open(path, 'w', **options) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1_600_000_000
            tar.addfile(info, io.BytesIO(content))
    return str(path)
