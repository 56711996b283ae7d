"""torchcodec: PyTorch's own decoder; needs FFmpeg's shared libraries on the system."""

import os
from typing import Any

import numpy as np

from .base import VideoReader, first_line, import_library, register_decoder
from .standin import StandInReader


class TorchCodecReader(StandInReader):
    """torchcodec, with PyAV for the files that torchcodec misreads; see `StandInReader`."""

    _reader: Any = None

    def _open(self) -> int:
        from torchcodec.decoders import VideoDecoder
        try:
            self._reader = VideoDecoder(os.path.abspath(self.path), dimension_order='NHWC',
                                        num_ffmpeg_threads=self.num_threads, seek_mode='exact')
        except RuntimeError as error:
            if 'load libtorchcodec' in str(error):  # version 0.17 looks for FFmpeg as late as here
                raise _no_ffmpeg(error) from error
            raise
        return len(self._reader)

    def _read(self, indices: list[int]) -> np.ndarray:
        return self._reader.get_frames_at(indices=indices).data.numpy()

    def _close(self) -> None:
        self._reader = None

    def _errors(self) -> tuple[type[Exception], ...]:
        return (RuntimeError, ValueError, IndexError)


@register_decoder('torchcodec')
def open_torchcodec(path: str, num_threads: int = 1) -> VideoReader:
    """Open a video with torchcodec."""
    try:
        import_library('torchcodec.decoders', 'torchcodec')
    except (RuntimeError, OSError) as error:
        raise _no_ffmpeg(error) from error
    return TorchCodecReader(path, num_threads)


def _no_ffmpeg(error: BaseException) -> ImportError:
    return ImportError("torchcodec is installed but finds no shared FFmpeg libraries: install FFmpeg (conda or your "
                       f"system's packages), or use decoder='pyav', which brings its own. ({first_line(error)})")
