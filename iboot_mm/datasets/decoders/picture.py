"""A picture as a video of one frame."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from ..sources import open_source
from .base import UnreadableVideo, VideoReader, first_line, register_decoder


class PictureReader(VideoReader):
    """One picture file: `num_frames` is 1, `fps` unknown."""

    num_frames = 1
    fps = 0.

    def __init__(self, path: str) -> None:
        self.path = path

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """See `VideoReader.read`."""
        try:
            with open_source(self.path) as file, Image.open(file) as image:
                frame = np.asarray(ImageOps.exif_transpose(image).convert('RGB'))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # Pillow has no common base
            raise UnreadableVideo(self.path, first_line(error)) from error
        return np.stack([frame] * len(indices))


@register_decoder('picture')
def open_picture(path: str, num_threads: int = 1) -> VideoReader:
    """Open a picture; it is loaded by the calling thread."""
    return PictureReader(path)
