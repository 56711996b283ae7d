"""Boxes and actions drawn onto the frames of a video."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

SHORTEST = 480  # pixels; smaller pictures are drawn larger, so that names can be read
LINE = 20  # pixels from line to line of text
# Okabe and Ito's colours, which the colour-blind tell apart; RGB.
COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167))


def draw_actions(frame: np.ndarray, boxes: np.ndarray, lines: Sequence[Sequence[str]]) -> np.ndarray:
    """A frame uint8 (H, W, 3), RGB, with boxes and names, its sides even and the short one at least ``SHORTEST``.

    Args:
        frame: The picture.
        boxes: (N, 4) as x1, y1, x2, y2 in shares of the picture.
        lines: What to write above each box, or into it where there is no room above, a line each.
    """
    scale = max(1., SHORTEST / min(frame.shape[:2]))
    width, height = (2 * round(side * scale / 2) for side in frame.shape[1::-1])
    picture = cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR)
    for number, (box, names) in enumerate(zip(boxes, lines, strict=True)):
        colour = COLOURS[number % len(COLOURS)]
        left, top, right, bottom = (int(round(value)) for value in np.array(box) * (width, height, width, height))
        cv2.rectangle(picture, (left, top), (right, bottom), colour, 2)
        above = top - LINE * len(names)
        for row, name in enumerate(names):
            _write(picture, name, (max(left, 0), (above if above >= 0 else max(top, 0)) + LINE * row), colour)
    return picture


def _write(picture: np.ndarray, text: str, corner: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """A line of text on a field of its colour, moved to the left where it would leave the picture."""
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, .5
    (width, _), _ = cv2.getTextSize(text, font, scale, 1)
    left, top = max(0, min(corner[0], picture.shape[1] - width - 6)), corner[1]
    cv2.rectangle(picture, (left, top), (left + width + 6, top + LINE - 1), colour, cv2.FILLED)
    cv2.putText(picture, text, (left + 3, top + 14), font, scale, (0, 0, 0), 1, cv2.LINE_AA)


def write_frames(path: str | Path, frames: Iterable[np.ndarray], fps: float) -> None:
    """Encode frames uint8 (H, W, 3) of one even size as H.264; they may come one by one."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=Fraction(fps).limit_denominator(1001))
        stream.pix_fmt = 'yuv420p'
        stream.options = {'crf': '18'}
        for number, frame in enumerate(frames):
            if number == 0:
                stream.height, stream.width = frame.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format='rgb24')))
        container.mux(stream.encode())
