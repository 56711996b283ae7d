"""Writes the small videos that tests need."""

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image


def moving_frames(count: int, height: int = 48, width: int = 64, seed: int = 0) -> np.ndarray:
    """uint8 (count, height, width, 3): a smooth random texture that shifts by a pixel a frame, so that all differ."""
    rng = np.random.default_rng(seed)
    side = max(height, width) + count
    cells = rng.integers(0, 255, (side // 8 + 2, side // 8 + 2, 3), dtype=np.uint8)
    texture = np.asarray(Image.fromarray(cells).resize((side, side), Image.Resampling.BILINEAR))
    return np.stack([texture[i:i + height, i:i + width] for i in range(count)])


def write_video(path: str | Path, frames: Sequence[np.ndarray], fps: float = 30, codec: str = 'libx264',
                pix_fmt: str = 'yuv420p', codec_options: dict | None = None, format_options: dict | None = None,
                times: Sequence[float] | None = None, rotation: int = 0, tick: Fraction = Fraction(1, 90000)) -> str:
    """Write frames uint8 (T, H, W, 3) to a video file; the ending of the path decides on the container.

    Args:
        path (str | Path): The file.
        frames (Sequence[np.ndarray]): Its pictures.
        fps (float): Frames per second.
        codec (str): Such as 'libx264', 'mpeg4', 'libvpx-vp9', 'mpeg2video'.
        pix_fmt (str): Such as 'yuv420p', 'yuv444p', 'yuv420p10le'.
        codec_options (dict, optional): Such as dict(g='12', bf='3').
        format_options (dict, optional): Such as dict(movflags='faststart').
        times (Sequence[float], optional): Seconds at which frames are shown, for a variable frame rate.
        rotation (int): Degrees by which a player should turn the picture.
        tick (Fraction): Seconds to which `times` are rounded.

    Returns:
        str: The path.
    """
    with av.open(str(path), 'w', options=format_options or {}) as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        # x264's macroblock tree encodes the same frames otherwise now and then.
        stable = {'x264-params': 'mbtree=0'} if codec == 'libx264' else {}
        stream.options = {**stable, **(codec_options or {})}
        if times is not None:
            stream.codec_context.time_base = tick
        if rotation:
            stream.set_display_rotation(rotation)
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format='rgb24')
            if times is not None:
                frame.pts, frame.time_base = round(times[number] / tick), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    keep_scheduling()
    return str(path)


def write_folder(folder: Path) -> Path:
    """Three short videos in ``folder``, ``a.mp4``, ``b.mp4`` and ``deep/c.mp4``, and one that cannot be read."""
    (folder / 'deep').mkdir()
    for number, place in enumerate(('a.mp4', 'b.mp4', 'deep/c.mp4')):
        write_video(folder / place, moving_frames(12, seed=number))
    (folder / 'broken.mp4').write_bytes(b'no video')
    return folder


def keep_scheduling() -> None:
    """Takes back the real-time priority that SVT-AV1 gives its caller's thread if it may, as root may.

    Such a test process holds a core against everything else on the machine, other tests' commands included.
    """
    if hasattr(os, 'sched_setscheduler') and os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def write_sound(path: str | Path, seconds: float = 1.) -> str:
    """Write a file that holds sound only."""
    rate = 16000
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('aac', rate=rate)
        stream.layout = 'mono'
        samples = np.sin(np.arange(int(seconds * rate)) / 20).astype(np.float32)[None]  # (1, samples)
        frame = av.AudioFrame.from_ndarray(samples, format='fltp', layout='mono')
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return str(path)


def cut(path: str | Path, target: str | Path, share: float) -> str:
    """Copy the first part of a file, as a broken download leaves it."""
    content = Path(path).read_bytes()
    Path(target).write_bytes(content[:int(len(content) * share)])
    return str(target)
