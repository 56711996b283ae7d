"""PyAV: FFmpeg's own libraries, on every platform; the reference that the other decoders are held to."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .base import UnreadableVideo, VideoReader, first_line, import_library, register_decoder
from .contents import count_frames, first_video_stream, open_container
from .conversion import Pictures, Upright, converter
from .packets import PacketIndex, open_indexed

# Codecs that mark each picture that no other picture is predicted from, so that it can be left out. Not HEVC, whose
# mark leaves pictures of higher temporal layers out of account, nor AV1, whose decoder takes the wish only once.
_MARKS_UNREFERENCED = ('h264', 'mpeg4')


class PyAVReader(VideoReader):
    """Frame-exact reading: frames are found by their time, so a seek that lands elsewhere costs time, not truth.

    Where times are not those of presentation (see `picture_order`), frames are counted from the start instead. Colours
    are converted as PyAV's `to_ndarray` does: chroma of more than 8 bits is interpolated linearly, where decord,
    torchcodec and the command `ffmpeg` repeat it; such files come to PyAV whichever decoder is named.

    What is not needed is not decoded: in H.264, unwanted frames that no other is predicted from are skipped; and as
    soon as the last wanted frame of a group of pictures is in the decoder, the decoder is emptied instead of fed on.
    The frames are the same bit for bit. Damage to a frame that is neither wanted nor predicted from goes unnoticed.

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
        self._container: Any = None
        if index is None:
            container, index = open_indexed(path)
            if container is not None:
                self._take(container)
        self.index = index
        self.num_frames = index.num_frames
        self.fps = index.fps
        self.truncated = index.truncated
        self._damaged = False
        self._convert = converter(num_threads)

    def read(self, indices: Sequence[int]) -> np.ndarray:
        """See `VideoReader.read`. Seeks once for each group of pictures that holds a wanted frame."""
        wanted = [int(i) for i in indices]
        if wanted and not 0 <= min(wanted) <= max(wanted) < self.num_frames:
            raise IndexError(f'{self.path} has {self.num_frames} frames; asked for {wanted}.')
        pictures = Pictures(wanted, self._convert)
        try:
            if self.index.pts is None:
                self._read_in_order(pictures)
            else:
                self._read_by_time(pictures)
        except _OutOfOrder:
            self._number_by_output()
            return self.read(indices)
        except self._av.FFmpegError as error:
            raise UnreadableVideo(self.path, str(error.strerror)) from error
        except OSError as error:  # of a server
            raise UnreadableVideo(self.path, first_line(error)) from error
        if pictures.missing:
            raise UnreadableVideo(self.path, f'frame {min(pictures.missing)} of {self.num_frames} does not decode')
        return pictures.array  # (U, H, W, 3)

    def pictures(self, indices: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """What `read` gives, one by one in order: frame numbers and pictures uint8 (H, W, 3).

        The file is decoded once, from the start. Parts that are read one by one would each be decoded from the keyframe
        before, and many files have a single one.

        Raises:
            UnreadableVideo: If one of the frames does not decode.
        """
        left, upright = set(indices), Upright(self._convert)
        number_of = None if self.index.pts is None else self._times(sorted(left))
        try:
            for place, frame in enumerate(self._all_frames(None if number_of is None else set(number_of))):
                number = place if number_of is None else number_of.get(frame.pts)
                if number in left:
                    left.remove(number)
                    yield number, np.ascontiguousarray(upright(frame))
        except self._av.FFmpegError as error:
            raise UnreadableVideo(self.path, str(error.strerror)) from error
        except OSError as error:  # of a server
            raise UnreadableVideo(self.path, first_line(error)) from error
        if left:
            raise UnreadableVideo(self.path, f'frame {min(left)} of {self.num_frames} does not decode')

    def frames(self) -> Iterator:
        """Every frame in order as PyAV decodes it: of the stored size and pixel format, not turned."""
        times = None if self.index.pts is None else set(self.index.pts.tolist())
        yield from (frame for frame in self._all_frames() if times is None or frame.pts in times)

    def close(self) -> None:
        """Close the file."""
        if self._container is not None:
            self._container.close()
            self._container = None

    def _read_by_time(self, pictures: Pictures) -> None:
        starts = self.index.keyframes
        wanted = np.array(sorted(pictures.missing), dtype=np.int64)
        group_of = np.searchsorted(starts, wanted, side='right') - 1  # -1: stored before any keyframe
        for group in np.unique(group_of):
            members = self._times(wanted[group_of == group])
            self._collect(self._decode(int(starts[group]) if group >= 0 else 0, set(members)), members, pictures)
        if pictures.missing:  # the container's seek went past them: decode everything from the start instead
            self.close()
            self._collect(self._decode(0), self._times(sorted(pictures.missing)), pictures)

    def _times(self, numbers: Sequence[int]) -> dict[int, int]:
        """Frame numbers by their times."""
        return {int(self.index.pts[i]): int(i) for i in numbers}

    def _collect(self, frames: Iterator, number_of: dict[int, int], pictures: Pictures) -> None:
        left, last = set(number_of), None
        for frame in frames:
            if None not in (last, frame.pts) and frame.pts <= last and not self._damaged:
                raise _OutOfOrder
            last = frame.pts
            if frame.pts in left:
                pictures.put(number_of[frame.pts], frame)
                left.remove(frame.pts)
                if not left:
                    return

    def _number_by_output(self) -> None:
        """From now on, a frame's number is its place in the decoder's output, if that puts out every frame."""
        num_frames, decoded = count_frames(self._av, self.path)
        if num_frames == self.num_frames:
            self.index = replace(self.index, pts=None, keyframes=None, decoded=decoded)
        self._damaged = num_frames != self.num_frames  # then it is not the times that are wrong

    def _read_in_order(self, pictures: Pictures) -> None:
        for number, frame in enumerate(self._all_frames()):
            if number in pictures.missing:
                pictures.put(number, frame)
                if not pictures.missing:
                    return

    def _all_frames(self, wanted: set[int] | None = None) -> Iterable:
        """The decoder's output from the start on, which may be in memory already; for `wanted` see `_decode`."""
        return self._decode(0, wanted) if self.index.decoded is None else self.index.decoded

    def _decode(self, start: int, wanted: set[int] | None = None) -> Iterator:
        """Frames in order of presentation, from the keyframe `start` on; broken packets are passed over.

        With `wanted`, times of frames, others may be left out, and nothing is decoded behind the last of them.
        """
        stream = self._at(start)
        context = stream.codec_context
        skips = wanted is not None and context.name in _MARKS_UNREFERENCED
        ahead = None if wanted is None else set(wanted)
        packets = self._container.demux(stream)
        drained = False
        while not drained:
            try:
                packet = next(packets, None)  # the last one of a whole file is empty and drains the decoder
            except self._av.FFmpegError:
                packet = None
            drained = packet is None or not packet.size
            needed = drained or ahead is None or packet.pts in ahead
            context.skip_frame = 'NONREF' if skips and not needed else 'DEFAULT'
            yield from self._output(context, packet)
            if ahead is not None and needed and not drained:
                ahead.discard(packet.pts)
                if not ahead:
                    yield from self._output(context, None)
                    return

    def _output(self, context: Any, packet: Any) -> list:
        """The frames that leave the decoder for a packet; None empties it."""
        try:
            return context.decode(packet)
        except (self._av.InvalidDataError, self._av.EOFError):
            return []

    def _at(self, start: int) -> Any:
        """The stream of a container whose next packets are those of the keyframe `start`."""
        if start == 0 and not self.index.rewinds:
            self.close()
        fresh = self._container is None
        if fresh:
            self._take(open_container(self.path))
        stream = first_video_stream(self._container, self.path)
        if start or not fresh:
            self._container.seek(int(self.index.pts[start]), stream=stream, backward=True)
        return stream

    def _take(self, container: Any) -> None:
        """Make a container that has decoded nothing yet this reader's."""
        stream = first_video_stream(container, self.path)
        stream.thread_type = 'NONE' if self.num_threads == 1 else 'AUTO'
        stream.codec_context.thread_count = self.num_threads
        self._container = container


class _OutOfOrder(Exception):
    """Frames leave the decoder in another order than that of their times."""


@register_decoder('pyav')
def open_pyav(path: str, num_threads: int = 1) -> VideoReader:
    """Open a video with PyAV."""
    return PyAVReader(path, num_threads)
