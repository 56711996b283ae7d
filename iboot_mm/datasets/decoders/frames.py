"""Raw frames: a folder of pictures is a video."""

import os
import re
from collections.abc import Sequence

import numpy as np
from PIL import Image

from .base import UnreadableVideo, VideoReader, first_line, register_decoder

IMAGE_EXTENSIONS = ('.jpg', '.jpeg', '.png', '.bmp', '.webp')


class FramesReader(VideoReader):
    """The pictures of a folder in the order of the numbers in their names (`img_2.jpg` before `img_10.jpg`).

    Args:
        path (str): The folder.
        fps (float): Frames per second at which they were taken; used for `target_fps` and `max_span` only.

    Raises:
        UnreadableVideo: If there is no such folder or no picture in it.
    """

    def __init__(self, path: str, fps: float = 30.) -> None:
        if not os.path.isdir(path):
            raise UnreadableVideo(path, "it is not a folder of frames (for video files choose another decoder)")
        names = [name for name in os.listdir(path) if name.lower().endswith(IMAGE_EXTENSIONS)]
        if not names:
            raise UnreadableVideo(path, f'the folder holds no picture ({", ".join(IMAGE_EXTENSIONS)})')
        self.path = path
        self.names = sorted(names, key=_natural)
        self.num_frames = len(names)
        self.fps = fps

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """See `VideoReader.read`."""
        frames = [self._load(self.names[i]) for i in indices]
        for i, frame in zip(indices, frames):
            if frame.shape != frames[0].shape:
                raise UnreadableVideo(self.path, f'{self.names[i]} is not as large as the other frames')
        return np.stack(frames)

    def _load(self, name: str) -> np.ndarray:
        try:
            with Image.open(os.path.join(self.path, name)) as image:
                return np.asarray(image.convert('RGB'))
        except OSError as error:
            raise UnreadableVideo(self.path, f'{name}: {first_line(error)}') from error


def _natural(name: str) -> list:
    return [int(part) if part.isdigit() else part for part in re.split(r'(\d+)', name)]


@register_decoder('frames')
def open_frames(path: str, num_threads: int = 1, fps: float = 30.) -> VideoReader:
    """Open a folder of frames; pictures are loaded by the calling thread."""
    return FramesReader(path, fps)
