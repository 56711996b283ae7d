"""Videos of several shots for tests."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .videos import moving_frames, write_video


def shots_of(*lengths: int, seed: int = 0, black: Sequence[int] = ()) -> np.ndarray:
    """uint8 (sum of lengths, 48, 64, 3): shots of other textures and colours, black where `black` says so."""
    parts = []
    for shot, length in enumerate(lengths):
        tint = np.roll([1., .7, .3], shot + seed)
        frames = (moving_frames(length, seed=10 * seed + shot) * tint).astype(np.uint8)
        parts.append(frames * (shot not in black))
    return np.concatenate(parts)


def write_shots_video(path: str | Path, *lengths: int, fps: float = 25, **kwargs) -> str:
    """Write such a video; its folder is made."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return write_video(path, shots_of(*lengths, **kwargs), fps=fps)
