"""From PyAV's frames to pictures uint8 (H, W, 3), RGB, upright."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from packaging.version import Version

from .base import import_library


def converter(num_threads: int = 1) -> Callable:
    """PyAV's `VideoReformatter.reformat` with so many threads, to be shared by all frames of a video.

    Unless told otherwise, PyAV 17 and later take a thread for each core (PyAV issue 2200): seven times the time of one
    thread for 340 x 256 pixels, in each of the data workers.
    """
    av = import_library('av', 'av')
    threads = dict(threads=num_threads) if Version(av.__version__) >= Version('17') else {}
    return partial(av.video.reformatter.VideoReformatter().reformat, **threads)


class Upright:
    """PyAV's frames as pictures uint8 (H, W, 3), RGB, upright, of the size of the first.

    Args:
        convert (Callable): See `converter`.
    """

    def __init__(self, convert: Callable) -> None:
        self._convert = convert
        self._shape: tuple[int, ...] | None = None

    def __call__(self, frame: Any) -> np.ndarray:
        turns = round(frame.rotation / 90) % 4
        image = np.rot90(self._rgb(frame, frame.height, frame.width), turns)
        self._shape = self._shape or image.shape
        if image.shape != self._shape:  # a stream may change its size on the way
            height, width = self._shape[1::-1] if turns % 2 else self._shape[:2]
            image = np.rot90(self._rgb(frame, height, width), turns)
        return image

    def _rgb(self, frame: Any, height: int, width: int) -> np.ndarray:
        """A view, uint8 (H, W, 3), into the converted frame, whose rows may be longer than the picture's."""
        plane = self._convert(frame, width, height, format='rgb24').planes[0]
        rows = np.frombuffer(plane, np.uint8).reshape(height, plane.line_size)
        return rows[:, :width * 3].reshape(height, width, 3)


class Pictures:
    """Frames of a video that are converted one by one.

    Args:
        wanted (Sequence[int]): U distinct frame numbers.
        convert (Callable): See `converter`.

    Attributes:
        array (np.ndarray): uint8 (U, H, W, 3), RGB, upright, of the size of the frame that came first.
        missing (set[int]): Frame numbers that are not there yet.
    """

    def __init__(self, wanted: Sequence[int], convert: Callable) -> None:
        self.place = {number: place for place, number in enumerate(wanted)}
        self.missing = set(wanted)
        self.array: np.ndarray | None = None
        self._upright = Upright(convert)

    def put(self, number: int, frame: Any) -> None:
        """Convert PyAV's frame to RGB and take it in."""
        image = self._upright(frame)
        if self.array is None:
            self.array = np.empty((len(self.place), *image.shape), dtype=np.uint8)
        self.array[self.place[number]] = image
        self.missing.remove(number)
