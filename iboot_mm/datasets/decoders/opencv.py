"""OpenCV: slower on long videos, since only reading from the start is frame-exact there."""

import os
from typing import Any

import numpy as np

from .base import VideoReader, import_library, register_decoder
from .standin import StandInReader


class OpenCVReader(StandInReader):
    """OpenCV, with PyAV for the files that OpenCV misreads; see `StandInReader`."""

    _capture: Any = None

    def _open(self) -> int:
        self._cv2 = import_library('cv2', 'opencv-python-headless')
        self._capture = self._cv2.VideoCapture(os.path.abspath(self.path), self._cv2.CAP_FFMPEG,
                                               [self._cv2.CAP_PROP_N_THREADS, self.num_threads])
        self._next = 0
        # Its own count is a guess from the header; the packets' count is what is there.
        return self.num_frames if self._capture.isOpened() else -1

    def _read(self, indices: list[int]) -> np.ndarray | None:
        if indices and indices[0] < self._next:
            self._close()
            self._open()
        frames = []
        for index in indices:
            while self._next <= index:
                if not self._capture.grab():
                    return None
                self._next += 1
            done, frame = self._capture.retrieve()
            if not done:
                return None
            frames.append(frame[..., ::-1])
        return np.stack(frames)

    def _close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None


@register_decoder('opencv')
def open_opencv(path: str, num_threads: int = 1) -> VideoReader:
    """Open a video with OpenCV."""
    import_library('cv2', 'opencv-python-headless')
    return OpenCVReader(path, num_threads)
