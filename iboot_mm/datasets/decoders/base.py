"""What a decoder has to offer, and the table of decoders.

A new decoder is one file in this folder, named like its config word, with a function under `register_decoder`::

    @register_decoder('mine')
    def open_mine(path: str, num_threads: int = 1) -> VideoReader:
        ...
"""

import importlib
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import ModuleType

import numpy as np


class UnreadableVideo(Exception):
    """A video that cannot give the frames asked of it.

    Args:
        path (str): The file or folder.
        reason (str): One clause that says why.
    """

    def __init__(self, path: str, reason: str = '') -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f'{self.path} cannot be read: {self.reason}' if self.reason else self.path


class VideoReader(ABC):
    """Random access to the frames of one video.

    Attributes:
        num_frames (int): Frames that can be read, in order of presentation. A file that was cut off counts only
            what is left of it.
        fps (float): Average frames per second; 0 if unknown. A video of variable frame rate is a sequence of
            frames like any other.
        truncated (bool): Whether the file promises more frames than it holds.
    """

    num_frames: int
    fps: float
    truncated: bool = False

    @abstractmethod
    def read(self, indices: Sequence[int]) -> np.ndarray:
        """Decode frames.

        Args:
            indices (Sequence[int]): U distinct frame numbers from [0, num_frames), ascending.

        Returns:
            np.ndarray: uint8 (U, H, W, 3), RGB, upright.

        Raises:
            UnreadableVideo: If one of the frames does not decode.
        """

    def close(self) -> None:  # noqa: B027  (a reader may have nothing to release)
        """Release the file."""

    def __len__(self) -> int:
        return self.num_frames

    def __enter__(self) -> 'VideoReader':
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


_DECODERS: dict[str, Callable[..., VideoReader]] = {}
BUILT_IN = ('pyav', 'decord', 'torchcodec', 'opencv', 'frames', 'picture', 'frame_cache')


def register_decoder(name: str) -> Callable:
    """Register `opener(path, num_threads=1, **options) -> VideoReader` under a config word."""

    def register(opener: Callable[..., VideoReader]) -> Callable[..., VideoReader]:
        _DECODERS[name] = opener
        return opener

    return register


def get_decoder(name: str) -> Callable[..., VideoReader]:
    """The opener of a decoder; its module is imported on first use, so that optional libraries stay optional.

    Raises:
        ValueError: If there is no such decoder.
    """
    name = 'pyav' if name == 'auto' else name
    if name not in _DECODERS:
        module = f'{__package__}.{name}'
        if not name.isidentifier() or importlib.util.find_spec(module) is None:
            raise ValueError(f"Unknown decoder '{name}': choose 'auto' or one of {', '.join(BUILT_IN)}.")
        importlib.import_module(module)
        if name not in _DECODERS:
            raise ValueError(f"Unknown decoder '{name}': {module} registers no decoder of that name.")
    return _DECODERS[name]


def open_video(path: str, decoder: str = 'auto', num_threads: int = 1, **options: object) -> VideoReader:
    """Open a video.

    Args:
        path (str): A video file, or a folder of frames for `decoder='frames'`.
        decoder (str): 'pyav', 'decord', 'torchcodec', 'opencv', 'frames', 'picture' or 'frame_cache'; 'auto' is PyAV,
            the fastest for clips and the one that reads every file (`benchmarks/input.py` compares them).
        num_threads (int): Decoding threads of this reader.
        options: Further arguments of that decoder.

    Raises:
        UnreadableVideo: If there is no video to be had from `path`.
        ImportError: If the decoder's library is not installed.
        ValueError: If there is no such decoder.
    """
    return get_decoder(decoder)(path, num_threads=num_threads, **options)


def import_library(name: str, package: str) -> ModuleType:
    """Import a decoder's library, or say in one sentence what to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"The decoder needs the library '{name}': run `pip install {package}`, or choose another "
                          f"decoder ({', '.join(BUILT_IN)}).") from error


def first_line(error: BaseException) -> str:
    """The part of a library's error message that is worth a line in a log."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200]
