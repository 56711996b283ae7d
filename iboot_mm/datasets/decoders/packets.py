"""Which frames a file really holds, found without decoding them where that can be.

Reading the packets of a 10 s H.264 file takes 2 to 6 ms (decoding its frames: 30 to 200) and tells what no decoder
tells reliably; the result is kept for the next time that the process opens the file. What the truth is, in
docs/videos.md: the frames that come out when the whole file is decoded in order. Packets tell as much if each has a
time of presentation of its own and the decoder has no reason to leave one out; otherwise the frames are decoded once
and counted (see `picture_order`).
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .base import UnreadableVideo, first_line, import_library
from .contents import (
    STREAMS,
    Packet,
    check_file,
    count_frames,
    first_video_stream,
    is_short,
    open_container,
    quirk_of_first_frame,
    read_packets,
)
from .index_cache import BoundedCache
from .picture_order import PictureOrder

# Containers whose seek was found to lead where it should. In others, FFmpeg's own times may be off by a frame behind a
# seek (seen in MPEG-PS), so those are decoded from the start.
_SEEKABLE_CONTAINERS = ('mov', 'matroska', 'avi')
_LISTS = ('concat', 'hls', 'dash', 'imf', 'sdp')  # text that makes FFmpeg open what it names


@dataclass(frozen=True)
class PacketIndex:
    """The frames of a video in order of presentation.

    Attributes:
        num_frames (int): Complete frames in the file.
        fps (float): Average frames per second, measured from the frames' times; 0 if unknown.
        truncated (bool): Whether the file promises more frames than it holds.
        pts (np.ndarray | None): int64 (num_frames,), ascending times in ticks of the stream; None where the file
            does not give every frame its own time, so that frames can only be counted from the start.
        keyframes (np.ndarray | None): int64 (K,), frame numbers at which decoding may start.
        quirk (str): Why another decoder than PyAV should not be trusted with this file; empty if it may.
        rewinds (bool): Whether a container that was read may be set back to its start instead of opened anew.
        decoded (tuple | None): The frames as PyAV decodes them, if they had to be decoded and are few.
        ticks (np.ndarray | None): int64 (num_frames,), ascending times at which frames are shown even where `pts` is
            None; None if unknown.
    """

    num_frames: int
    fps: float
    truncated: bool
    pts: np.ndarray | None
    keyframes: np.ndarray | None
    quirk: str
    rewinds: bool
    decoded: tuple | None = None
    ticks: np.ndarray | None = None


# Indices of the videos opened last in this process, by path and all that tells files apart; 10 s take some 5 kB.
KNOWN: BoundedCache[PacketIndex] = BoundedCache(2**24)


def open_indexed(path: str) -> tuple[Any, PacketIndex]:
    """The open container of PyAV, of which nothing is decoded yet, with the index of its packets.

    There is no container (None) where the index is known from an earlier opening of the same file in this process.
    What only a decoded frame tells is not looked up, since PyAV's frames tell it by themselves.

    Raises:
        UnreadableVideo: If there is no file, no video stream or no complete frame.
    """
    av = import_library('av', 'av')
    about = check_file(path)
    key = (path, about)
    if (known := KNOWN.get(key)) is not None:
        return None, known
    with ExitStack() as opened:
        try:
            container = opened.enter_context(open_container(path))
            index = _index(av, container, path)
        except av.FFmpegError as error:
            raise UnreadableVideo(path, f'FFmpeg finds no complete video file in it ({error.strerror})') from error
        except OSError as error:  # of a server
            raise UnreadableVideo(path, first_line(error)) from error
        opened.pop_all()  # stays open
    if about.changed or about.file:  # else nothing would tell a file from another of its name
        _remember(key, index)
    return container, index


def _remember(key: tuple, index: PacketIndex) -> None:
    same = index.ticks is not None and np.array_equal(index.ticks, index.pts)
    index = replace(index, decoded=None, ticks=index.pts if same else index.ticks)  # frames are too large to be kept
    arrays = {id(array): array.nbytes for array in (index.pts, index.ticks, index.keyframes) if array is not None}
    KNOWN.put(key, index, 1000 + len(key[0]) + sum(arrays.values()))


def index_packets(path: str) -> PacketIndex:
    """Index the packets of the first video stream of a file, with every reason not to trust other decoders with it.

    Raises:
        UnreadableVideo: See `open_indexed`.
    """
    container, index = open_indexed(path)
    with container or open_container(path) as container:
        return index if index.quirk else replace(index, quirk=quirk_of_first_frame(container, path))


def _index(av: Any, container: Any, path: str) -> PacketIndex:
    if container.format.name in _LISTS:
        raise UnreadableVideo(path, f'it is a list of other files ({container.format.name}), no video')
    stream = first_video_stream(container, path)
    content = read_packets(av, container, stream)
    packets, format_name = content.packets, container.format.name
    truncated = content.fault or is_short(path, container, stream, content)
    if truncated and format_name.startswith(STREAMS):
        packets = [packet for packet in packets if None in (packet.pts, packets[-1].pts)
                   or packet.pts < packets[-1].pts]
    shown = [packet for packet in packets if not packet.is_discard]
    if not shown:
        raise UnreadableVideo(path, 'it holds no complete frame')
    ticks = _ticks(shown)
    # Pictures one behind the other are counted by FFmpeg, however many there are in the file.
    pts, keyframes, open_gop = (None, None, False) if format_name.endswith('_pipe') else _order(packets, content.order)
    decoded, num_frames = None, len(shown)
    if pts is None:
        num_frames, decoded = count_frames(av, path)
        ticks = ticks if ticks is not None and len(ticks) == num_frames else None
    fps = _frame_rate(ticks, float(stream.time_base), (stream.average_rate, stream.guessed_rate, stream.base_rate))
    seekable = format_name.startswith(_SEEKABLE_CONTAINERS)
    findings = {
        f'{format_name} container': not seekable,
        'truncated': truncated,
        'frames without times': pts is None,
        'times that its container does not store': (
            format_name == 'avi' and any(packet.pts != packet.dts for packet in packets)),
        'open GOP': open_gop,
        'edit list': len(shown) < len(packets),
        'palette or header between the packets': content.stateful,
        'keyframes that need others': content.soft_keyframes,
    }
    quirk = next((name for name, found in findings.items() if found), '')
    if pts is not None and (content.stateful or not seekable):
        keyframes = np.zeros(1, dtype=np.int64)
    # Elsewhere only a fresh container is sure to be at its start, whatever the format's seek can do.
    rewinds = (pts is not None and keyframes[:1].tolist() == [0] and seekable
               and not (truncated or content.stateful or len(shown) < len(packets)))
    return PacketIndex(num_frames, fps, truncated, pts, keyframes, quirk, rewinds, decoded, ticks)


def _ticks(packets: list[Packet]) -> np.ndarray | None:
    """The times of frames, ascending; of those that are stored without time of presentation, the times of storage."""
    for times in ([packet.pts for packet in packets], [packet.dts for packet in packets]):
        if None not in times:
            ticks = np.sort(np.array(times, dtype=np.int64))
            if (np.diff(ticks) > 0).all():
                return ticks
    return None


def _order(packets: list[Packet], order: PictureOrder
           ) -> tuple[np.ndarray | None, np.ndarray | None, bool]:
    """Sort by time; find keyframes and whether frames stored behind a keyframe are shown before it."""
    if not packets[0].is_keyframe or any(packet.pts is None for packet in packets):
        return None, None, False
    stored = np.array([packet.pts for packet in packets], dtype=np.int64)
    if len(np.unique(stored)) < len(stored) or not order.agrees_with(stored):
        return None, None, False
    is_key = np.array([packet.is_keyframe for packet in packets], dtype=bool)
    is_shown = np.array([not packet.is_discard for packet in packets], dtype=bool)
    # Smallest time at or behind each place of storage: below a keyframe's own time means leading frames.
    smallest_behind = np.minimum.accumulate(stored[::-1])[::-1]
    open_gop = bool((smallest_behind[is_key] < stored[is_key])[1:].any())
    pts = np.sort(stored[is_shown])
    keyframes = np.searchsorted(pts, np.sort(stored[is_key & is_shown]))
    return pts, keyframes, open_gop


def _frame_rate(ticks: np.ndarray | None, tick: float, declared: Sequence[float]) -> float:
    """Average frames per second, measured from the times of the frames.

    Args:
        ticks (np.ndarray | None): (num_frames,), ascending; None if unknown.
        tick (float): Seconds.
        declared (Sequence[float]): Rates that the header names. The first one that agrees with the times, but for their
            rounding, is taken as it is.

    Returns:
        float: The rate; 0 if unknown.
    """
    declared = [float(rate) for rate in declared if rate]
    if ticks is None or len(ticks) < 2 or ticks[-1] <= ticks[0]:
        return declared[0] if declared else 0.
    seconds, steps = float(ticks[-1] - ticks[0]) * tick, len(ticks) - 1
    agreeing = [rate for rate in declared if abs(steps / rate - seconds) <= 1.01 * tick]
    return agreeing[0] if agreeing else steps / seconds
