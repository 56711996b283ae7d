"""Decoders that are trusted with plain files only; PyAV reads the rest."""

from collections.abc import Sequence

import numpy as np

from ..sources import is_plain_file
from .base import UnreadableVideo, VideoReader
from .packets import index_packets
from .pyav import PyAVReader


class StandInReader(VideoReader):
    """Base of readers on another library, with PyAV as the stand-in.

    PyAV takes over where the file's packets show a `quirk` (see `packets`), where the video lies in a shard or at a
    remote address, where the library cannot open the file, counts other frames than there are, or fails while reading.
    Both count frames alike, so nothing else changes, and the choice depends on the file alone.

    Args:
        path (str): The file.
        num_threads (int): Decoding threads.

    Raises:
        UnreadableVideo: See `index_packets`.
    """

    def __init__(self, path: str, num_threads: int = 1) -> None:
        self.path = path
        self.num_threads = num_threads
        self.index = index_packets(path)
        self.num_frames = self.index.num_frames
        self.fps = self.index.fps
        self.truncated = self.index.truncated
        self.stand_in: PyAVReader | None = None
        if self.index.quirk or not is_plain_file(path) or not self._try_open():
            self._use_stand_in()

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """See `VideoReader.read`."""
        if self.stand_in is None:
            try:
                frames = self._read([int(i) for i in indices])
            except self._errors():
                frames = None
            if frames is not None:
                return frames
            self._use_stand_in()
        return self.stand_in.read(indices)

    def close(self) -> None:
        """Close whichever reader is open."""
        self._close()
        if self.stand_in is not None:
            self.stand_in.close()

    def _use_stand_in(self) -> None:
        self._close()
        self.stand_in = PyAVReader(self.path, self.num_threads, self.index)

    def _try_open(self) -> bool:
        try:
            return self._open() == self.num_frames
        except UnreadableVideo:
            raise
        except self._errors():
            return False

    def _open(self) -> int:
        """Open the file with the library and return its count of frames."""
        raise NotImplementedError

    def _read(self, indices: list[int]) -> np.ndarray | None:
        """Decode with the library; None if it stopped early."""
        raise NotImplementedError

    def _close(self) -> None:
        """Release the library's reader."""

    def _errors(self) -> tuple[type[Exception], ...]:
        """What the library raises for a file that it cannot read."""
        return (RuntimeError,)
