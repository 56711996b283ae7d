"""decord: the decoder of MMAction2's recipes (Linux and Windows on x86; no codec newer than VP9 and HEVC)."""

import os
from typing import Any

import numpy as np

from .base import VideoReader, import_library, register_decoder
from .standin import StandInReader


class DecordReader(StandInReader):
    """decord, with PyAV for the files that decord misreads; see `StandInReader`."""

    _reader: Any = None

    def _open(self) -> int:
        # A broken file may otherwise be retried 10,240 times, which looks like a hanging worker.
        os.environ.setdefault('DECORD_EOF_RETRY_MAX', '128')
        decord = import_library('decord', 'decord')
        decord.logging.set_level(decord.logging.QUIET)
        self._reader = decord.VideoReader(os.path.abspath(self.path), num_threads=self.num_threads)
        return len(self._reader)

    def _read(self, indices: list[int]) -> np.ndarray:
        frames = self._reader.get_batch(indices)
        # Another part of the program may have set decord's bridge to torch.
        return frames.asnumpy() if hasattr(frames, 'asnumpy') else np.asarray(frames)

    def _close(self) -> None:
        self._reader = None

    def _errors(self) -> tuple[type[Exception], ...]:
        return (RuntimeError, AssertionError, IndexError, import_library('decord', 'decord').DECORDError)


@register_decoder('decord')
def open_decord(path: str, num_threads: int = 1) -> VideoReader:
    """Open a video with decord."""
    import_library('decord', 'decord')
    return DecordReader(path, num_threads)
