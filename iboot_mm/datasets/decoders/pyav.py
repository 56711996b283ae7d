"""PyAV: FFmpeg's own libraries, on every platform; the reference that the other decoders are held to."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .base import UnreadableVideo, VideoReader, import_library, register_decoder
from .packets import PacketIndex, first_video_stream, index_packets


class PyAVReader(VideoReader):
    """Frame-exact reading: frames are found by their time, so a seek that lands elsewhere costs time, not truth.

    Args:
        path (str): The file.
        num_threads (int): Decoding threads.
        index (PacketIndex, optional): The file's index if it is known already.

    Raises:
        UnreadableVideo: See `index_packets`.
    """

    def __init__(self, path: str, num_threads: int = 1, index: PacketIndex | None = None) -> None:
        self._av = import_library('av', 'av')
        self.path = path
        self.num_threads = num_threads
        self.index = index or index_packets(path)
        self.num_frames = self.index.num_frames
        self.fps = self.index.fps
        self.truncated = self.index.truncated
        self._container: Any = None
        self._reformatter: Any = None

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """See `VideoReader.read`. Seeks once for each group of pictures that holds a wanted frame."""
        wanted = [int(i) for i in indices]
        if wanted and not 0 <= min(wanted) <= max(wanted) < self.num_frames:
            raise IndexError(f'{self.path} has {self.num_frames} frames; asked for {wanted}.')
        found: dict[int, np.ndarray] = {}
        try:
            if self.index.pts is None:
                self._read_in_order(wanted, found)
            else:
                self._read_by_time(wanted, found)
        except self._av.FFmpegError as error:
            raise UnreadableVideo(self.path, str(error.strerror)) from error
        missing = [i for i in wanted if i not in found]
        if missing:
            raise UnreadableVideo(self.path, f'frame {missing[0]} of {self.num_frames} does not decode')
        return np.stack([found[i] for i in wanted])  # (U, H, W, 3)

    def frames(self) -> Iterator:
        """Every frame in order as PyAV decodes it: of the stored size and pixel format, not turned."""
        times = None if self.index.pts is None else set(self.index.pts.tolist())
        yield from (frame for frame in self._decode(0) if times is None or frame.pts in times)

    def close(self) -> None:
        """Close the file."""
        if self._container is not None:
            self._container.close()
            self._container = None

    def _read_by_time(self, wanted: list[int], found: dict[int, np.ndarray]) -> None:
        starts = self.index.keyframes
        group_of = np.searchsorted(starts, wanted, side='right') - 1  # -1: stored before any keyframe
        for group in np.unique(group_of):
            frames = [i for i, g in zip(wanted, group_of) if g == group]
            self._collect(self._decode(int(starts[group]) if group >= 0 else 0), frames, found)
        missing = [i for i in wanted if i not in found]
        if missing:  # the container's seek went past them: decode from the start instead
            self._collect(self._decode(0), missing, found)

    def _collect(self, frames: Iterator, wanted: list[int], found: dict[int, np.ndarray]) -> None:
        number_of = {int(self.index.pts[i]): i for i in wanted}
        last = max(number_of)
        for frame in frames:
            number = number_of.get(frame.pts)
            if number is not None:
                found[number] = self._to_rgb(frame, found)
            if frame.pts is not None and frame.pts >= last:
                return

    def _read_in_order(self, wanted: list[int], found: dict[int, np.ndarray]) -> None:
        members = set(wanted)
        for number, frame in enumerate(self._decode(0)):
            if number in members:
                found[number] = self._to_rgb(frame, found)
            if number >= wanted[-1]:
                return

    def _decode(self, start: int) -> Iterator:
        """Frames in order of presentation, from the keyframe `start` on; broken packets are passed over."""
        if start == 0:
            self.close()  # a fresh container is at its start whatever the format's seek can do
        if self._container is None:
            self._container = self._av.open(self.path)
            stream = first_video_stream(self._container, self.path)
            stream.thread_type = 'NONE' if self.num_threads == 1 else 'AUTO'
            stream.codec_context.thread_count = self.num_threads
        stream = first_video_stream(self._container, self.path)
        if start:
            self._container.seek(int(self.index.pts[start]), stream=stream, backward=True)
        packets = self._container.demux(stream)
        drained = False
        while not drained:
            try:
                packet = next(packets, None)  # the last one of a whole file is empty and drains the decoder
            except self._av.FFmpegError:
                packet = None
            drained = packet is None or not packet.size
            try:
                if packet is None:
                    yield from stream.decode(None)
                else:
                    yield from packet.decode()
            except (self._av.InvalidDataError, self._av.EOFError):
                continue

    def _to_rgb(self, frame, found: dict[int, np.ndarray]) -> np.ndarray:
        """uint8 (H, W, 3), upright, of the size of the frames found so far."""
        if self._reformatter is None:  # shared by all frames: each would otherwise set up a conversion of its own
            self._reformatter = self._av.video.reformatter.VideoReformatter()
        image = self._reformatter.reformat(frame, format='rgb24').to_ndarray()
        turns = round(frame.rotation / 90) % 4
        if turns:
            image = np.ascontiguousarray(np.rot90(image, turns))
        first = next(iter(found.values()), image)
        if image.shape != first.shape:  # a stream may change its size on the way
            height, width = first.shape[1::-1] if turns % 2 else first.shape[:2]
            image = np.rot90(self._reformatter.reformat(frame, width, height, format='rgb24').to_ndarray(), turns)
        return image


@register_decoder('pyav')
def open_pyav(path: str, num_threads: int = 1) -> VideoReader:
    """Open a video with PyAV."""
    return PyAVReader(path, num_threads)
