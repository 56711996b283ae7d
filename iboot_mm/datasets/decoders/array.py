"""Frames that are in memory already."""

from collections.abc import Sequence

import numpy as np

from .base import VideoReader


class ArrayReader(VideoReader):
    """A video that is an array.

    Args:
        frames (np.ndarray): uint8 (T, H, W, 3), RGB.
        fps (float): Frames per second; 0 if unknown.

    Raises:
        ValueError: For an array of another shape or type.
    """

    def __init__(self, frames: np.ndarray, fps: float = 0.) -> None:
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or not frames.size:
            raise ValueError(f'A video in memory is an array uint8 (T, H, W, 3), RGB, with a frame at least, not '
                             f'{frames.dtype} {frames.shape}.')
        self.frames, self.num_frames, self.fps = frames, len(frames), fps

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """See `VideoReader.read`."""
        return self.frames[list(indices)]
