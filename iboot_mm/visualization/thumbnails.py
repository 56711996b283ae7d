"""Videos as small pictures inside a page."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..datasets import UnreadableVideo, open_video


@dataclass
class Thumbnail:
    """A video as data URIs: its middle frame, and a short loop."""
    still: str
    loop: str


def read_thumbnail(path: str, side: int = 96, num_frames: int = 8, decoder: str = 'auto') -> Thumbnail | None:
    """Reads evenly spaced frames of a video, centre-cropped to a square.

    Args:
        path: The video.
        side: Of the square, in pixels.
        num_frames: Frames of the loop; with one, the loop is the middle frame, too.
        decoder: See :class:`~iboot_mm.datasets.transforms.OpenVideo`.

    Returns:
        The thumbnail, or None when the video cannot be read any more.
    """
    try:
        with open_video(path, decoder, 1) as video:
            count = min(num_frames, video.num_frames)
            middle = (video.num_frames - 1) / 2  # of one frame alone
            places = np.linspace(0, video.num_frames - 1, count) if count > 1 else np.array([middle])
            frames = video.read(places.round().astype(int))
    except (OSError, UnreadableVideo):
        return None
    images = [square(frame, side) for frame in frames]
    return Thumbnail(still=to_data_uri(images[len(images) // 2:][:1]), loop=to_data_uri(images))


def square(frame: np.ndarray, side: int) -> Image.Image:
    """The central square of a frame uint8 ``(H, W, 3)``, scaled to ``side`` pixels."""
    height, width = frame.shape[:2]
    edge = min(height, width)
    left, top = (width - edge) // 2, (height - edge) // 2
    image = Image.fromarray(frame)
    return image.resize((side, side), Image.Resampling.LANCZOS, box=(left, top, left + edge, top + edge))


def to_data_uri(images: list[Image.Image], frame_ms: int = 120) -> str:
    """One image as JPEG, several as an endless animated WebP."""
    buffer = io.BytesIO()
    if len(images) == 1:
        kind = 'jpeg'
        images[0].save(buffer, 'JPEG', quality=85)
    else:
        kind = 'webp'
        images[0].save(buffer, 'WEBP', save_all=True, append_images=images[1:], duration=frame_ms, loop=0, quality=70)
    return f'data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}'
