"""Decoded frames kept on the disk, for small sets of short videos: each is decoded once, then its frames are mapped.

32 frames of 100 x 100 pixels take 1 MB, where the H.264 file takes 15 kB. `benchmarks/frame_cache.py` tells whether it
pays for a config.
"""

import hashlib
import io
import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import print_log

from ...stores.atomic_files import AtomicLocalBackend
from ..remote import is_remote
from ..sources import stat_source
from .base import UnreadableVideo, VideoReader, get_decoder, register_decoder

NUMBERING = 2  # of the rule by which frames are numbered and converted: what another one stored is decoded again
LARGEST = 2**30  # bytes: the frames of one video are held in memory to be written
_given_up: set[Path] = set()  # folders that this process stores nothing more in


class MappedReader(VideoReader):
    """A video whose frames are on the disk."""

    def __init__(self, entry: Path) -> None:
        content = torch.load(entry, mmap=True, weights_only=True)
        self.frames = content['frames'].numpy()
        self.num_frames, self.fps, self.truncated = len(self.frames), content['fps'], content['truncated']

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """See `VideoReader.read`."""
        return self.frames[list(indices)]


class StoringReader(VideoReader):
    """A video that is decoded and, when it is first read, stored whole.

    Args:
        video (VideoReader): Decodes it.
        entry (Path): Where its frames go.
        limit (float): GiB of all videos in that folder.
    """

    def __init__(self, video: VideoReader, entry: Path, limit: float) -> None:
        self.video, self.entry, self.limit = video, entry, limit
        self.num_frames, self.fps, self.truncated = video.num_frames, video.fps, video.truncated

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """See `VideoReader.read`."""
        wanted = self.video.read(indices)
        size = self.num_frames * wanted[0].nbytes
        if size <= LARGEST and _has_room(self.entry.parent, size, self.limit):
            try:
                self._store(self.video.read(range(self.num_frames)))
            except UnreadableVideo:
                pass  # another frame is broken
            except OSError as error:
                _give_up(self.entry.parent, str(error))
        return wanted

    def close(self) -> None:
        """Release the file."""
        self.video.close()

    def _store(self, frames: np.ndarray) -> None:
        content = io.BytesIO()
        torch.save(dict(frames=torch.from_numpy(frames), fps=self.fps, truncated=self.truncated), content)
        own = self.entry.with_suffix('.' + uuid.uuid4().hex)  # another worker may be storing the same video
        AtomicLocalBackend().put(content.getbuffer(), own)
        os.replace(own, self.entry)


@register_decoder('frame_cache')
def open_frame_cache(path: str, num_threads: int = 1, folder: str = 'work_dirs/frame_cache', limit: float = 8.,
                     source: str = 'auto', **options: object) -> VideoReader:
    """Open a video whose frames are, or will be, on the disk. A file that has changed since is decoded again.

    Several processes and runs may share the folder. Videos of more than `LARGEST` bytes of frames are not stored.

    Args:
        path (str): The file.
        num_threads (int): Threads of the decoder.
        folder (str): Where the frames are; may be deleted at any time between runs.
        limit (float): GiB that they may take, give or take a video per process. Videos beyond it are decoded as ever.
        source (str): The decoder.
        options: Of that decoder.

    Raises:
        UnreadableVideo: If `path` is no file, or as the decoder does.
    """
    try:
        about = stat_source(path)
    except OSError as error:
        raise UnreadableVideo(path, 'it is not a file') from error
    place = path if is_remote(path) else os.path.realpath(path)
    identity = [NUMBERING, place, about.size, about.changed, source, sorted(options.items())]
    entry = Path(folder) / f'{hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]}.pt'
    if entry.exists():
        return MappedReader(entry)
    return StoringReader(get_decoder(source)(path, num_threads=num_threads, **options), entry, limit)


def _has_room(folder: Path, size: int, limit: float) -> bool:
    if folder in _given_up:
        return False
    if sum(entry.stat().st_size for entry in folder.glob('*.pt')) + size <= limit * 2**30:
        return True
    _give_up(folder, f'limit={limit:g} GiB')
    return False


def _give_up(folder: Path, reason: str) -> None:
    _given_up.add(folder)
    print_log(f"No more decoded frames are stored in '{folder}' ({reason}): what is not there is decoded each time.",
              'current', level=30)
