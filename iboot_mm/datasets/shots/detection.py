"""Where one shot of a video ends and the next begins; needs PySceneDetect.

VIVI splits videos "using a simple strategy based on color histograms" (section 4) and says no more; what follows is our
choice. Hard cuts are found; a dissolve may be found late, in several places or not at all.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from scenedetect import FrameTimecode
from scenedetect.detectors import HistogramDetector

from ..decoders import UnreadableVideo
from ..decoders.conversion import converter
from ..decoders.pyav import PyAVReader
from .shots import tick_frames

LONG_SIDE = 256  # pixels; PySceneDetect's own tools scale frames to that width
BINS = 8  # per channel
BLACK_PIXEL, BLACK_SHARE = .1, .98  # FFmpeg's blackdetect: brightness of a black pixel, their share of a black frame


class ColourHistogramDetector(HistogramDetector):
    """PySceneDetect's detector, with a joint histogram of the three channels where it takes that of luma alone.

    Of the counts it correlates the square roots: a plain background, whose few bins hold most of the pixels, then does
    not outweigh what changes. Measured in tools/data/README.md.
    """

    @staticmethod
    def calculate_histogram(frame_img: np.ndarray, bins: int = BINS, normalize: bool = True) -> np.ndarray:
        """float32 (bins ** 3,) of a frame uint8 (H, W, 3); correlation needs no normalising."""
        counts = cv2.calcHist([frame_img], [0, 1, 2], None, [bins] * 3, [0, 256] * 3)
        return np.sqrt(counts).ravel()


def find_shots(path: str, threshold: float, min_length: int = 1, target_fps: float | None = None) -> dict:
    """Find the shots of one video.

    Args:
        path (str): The file.
        threshold (float): In (0, 1]; a shot begins at a frame whose histogram's correlation with that of the frame
            before is 1 - threshold at most. Also where black frames begin or end.
        min_length (int): No cut within so many frames after the one before; they may still turn black.
        target_fps (float, optional): Look at so many frames a second. None: at all.

    Returns:
        dict: `frames`, `fps`, `starts` and, if there are any, `black`; see `iboot_mm.datasets.shots.shots`.

    Raises:
        UnreadableVideo: If not every frame decodes, or the frame rate is unknown where `target_fps` is given.
    """
    reader = PyAVReader(path)
    if target_fps and not reader.fps:
        raise UnreadableVideo(path, 'its frame rate, which --fps needs, is unknown')
    detector = ColourHistogramDetector(threshold, BINS, min_length)
    starts, dark = [], []
    for place, (number, frame) in enumerate(shown_frames(reader, reader.fps / target_fps if target_fps else 1.)):
        cut = detector.process_frame(FrameTimecode(place, fps=1.), frame)
        black = bool(np.mean(frame.max(2) <= BLACK_PIXEL * 255) >= BLACK_SHARE)
        if cut or not starts or black != dark[-1]:
            starts.append(number)
            dark.append(black)
    shots = dict(frames=reader.num_frames, fps=reader.fps, starts=starts)
    black = [shot for shot, is_black in enumerate(dark) if is_black]
    return dict(shots, black=black) if black else shots


def shown_frames(reader: PyAVReader, step: float) -> Iterator[tuple[int, np.ndarray]]:
    """Numbers of the frames that a clock of so many frames a tick shows, and what they look like when scaled down.

    Raises:
        UnreadableVideo: At the end, if frames were missing: the numbers behind them are not those of training.
    """
    shown = set(tick_frames(np.arange(np.ceil(reader.num_frames / step)), step).tolist())
    resize, number = converter(), -1
    for number, frame in enumerate(reader.frames()):
        if number in shown:
            scale = min(1., LONG_SIDE / max(frame.width, frame.height))
            width, height = (max(1, round(side * scale)) for side in (frame.width, frame.height))
            yield number, resize(frame, width, height, 'bgr24', interpolation='AREA').to_ndarray()
    reader.close()
    if number + 1 != reader.num_frames:
        raise UnreadableVideo(reader.path, f'{number + 1} of its {reader.num_frames} frames decode')
