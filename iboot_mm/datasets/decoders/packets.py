"""Which frames a file really holds, found without decoding them.

Reading the packets of a 10 s H.264 file takes 2 to 6 ms (decoding its frames: 30 to 200) and tells what no decoder
tells reliably. Measured with decord 0.6.0 and torchcodec 0.17: on files that were cut off decord fails late or
not at all; decord and torchcodec return wrong frames from MPEG-TS files; decord does so after a seek in open-GOP
streams and, now and then, in turned videos. Such files carry a `quirk` and are read with PyAV by position in time.
"""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..remote import is_remote
from ..sources import is_plain_file, open_source, stat_source
from .base import UnreadableVideo, first_line, import_library

# Containers in which the other decoders were found to agree with PyAV frame by frame. In others, FFmpeg's own times
# may be off by a frame behind a seek (seen in MPEG-PS), so those are decoded from the start.
_PLAIN_CONTAINERS = ('mov', 'matroska', 'avi')
# Containers made for broadcast: nothing tells whether the frame stored last is whole, so it is not counted.
_STREAMS = ('mpeg',)


@dataclass(frozen=True)
class PacketIndex:
    """The frames of a video in order of presentation.

    Attributes:
        num_frames (int): Complete frames in the file.
        fps (float): Average frames per second, 0 if unknown.
        truncated (bool): Whether the header promises more than the file holds.
        pts (np.ndarray | None): int64 (num_frames,), ascending times in ticks of the stream; None where the file
            does not give every frame its own time, so that frames can only be counted from the start.
        keyframes (np.ndarray | None): int64 (K,), frame numbers at which decoding may start.
        quirk (str): Why another decoder than PyAV should not be trusted with this file; empty if it may.
    """

    num_frames: int
    fps: float
    truncated: bool
    pts: np.ndarray | None
    keyframes: np.ndarray | None
    quirk: str


def index_packets(path: str) -> PacketIndex:
    """Index the packets of the first video stream of a file.

    Raises:
        UnreadableVideo: If there is no file, no video stream or no complete frame.
    """
    container, index = open_indexed(path)
    with container:
        if not index.quirk and container.format.name.startswith('mov') and _is_turned(container, path):
            return replace(index, quirk='turned picture')
    return index


def open_indexed(path: str) -> tuple[Any, PacketIndex]:
    """The open container of PyAV, of which nothing is decoded yet, with the index of its packets.

    Whether the picture is turned is not looked up, since PyAV's frames tell it by themselves.

    Raises:
        UnreadableVideo: See `index_packets`.
    """
    av = import_library('av', 'av')
    _check_file(path)
    with ExitStack() as opened:
        try:
            container = opened.enter_context(open_container(path))
            index = _index(av, container, path)
        except av.FFmpegError as error:
            raise UnreadableVideo(path, f'FFmpeg finds no complete video file in it ({error.strerror})') from error
        except OSError as error:  # of a server
            raise UnreadableVideo(path, first_line(error)) from error
        opened.pop_all()  # stays open
    return container, index


def open_container(path: str) -> Any:
    """PyAV's container of a file, of a video in a shard or at a remote address.

    Raises:
        OSError: If there is none; `av.FFmpegError` if FFmpeg cannot open it.
    """
    av = import_library('av', 'av')
    return av.open(path if is_plain_file(path) else open_source(path))


def _index(av, container, path: str) -> PacketIndex:
    stream = first_video_stream(container, path)
    packets, fault = _read_packets(av, container, stream)
    fps = float(stream.average_rate or stream.guessed_rate or 0)
    container_name = container.format.name
    truncated = fault or _is_short(path, container, stream, packets)
    if container_name.startswith(_STREAMS):
        packets = [packet for packet in packets if None in (packet[0], packets[-1][0]) or packet[0] < packets[-1][0]]
    shown = [packet for packet in packets if not packet[3]]
    if not shown:
        raise UnreadableVideo(path, 'it holds no complete frame')
    pts, keyframes, open_gop = _order(shown)
    findings = {
        f'{container_name} container': not container_name.startswith(_PLAIN_CONTAINERS),
        'truncated': truncated,
        'frames without times': pts is None,
        'open GOP': open_gop,
        'edit list': len(shown) < len(packets),
    }
    quirk = next((name for name, found in findings.items() if found), '')
    if quirk.endswith('container') and pts is not None:
        keyframes = np.zeros(1, dtype=np.int64)
    num_frames = len(shown) if pts is not None else _count_frames(av, path)
    return PacketIndex(num_frames, fps, truncated, pts, keyframes, quirk)


def first_video_stream(container, path: str):
    """The first stream of moving pictures (a cover picture in a sound file is none)."""
    for stream in container.streams.video:
        if not stream.disposition & type(stream.disposition).attached_pic:
            return stream
    raise UnreadableVideo(path, 'it has no video stream (sound only?)')


def _check_file(path: str) -> None:
    try:
        size = stat_source(path).size
    except FileNotFoundError:
        or_away = ', or its server does not answer' if is_remote(path) else ''  # for fsspec that is the same
        raise UnreadableVideo(path, f'there is no such file{or_away}') from None
    except IsADirectoryError:
        raise UnreadableVideo(path, "it is a folder (for folders of frames choose the decoder 'frames')") from None
    except OSError as error:
        raise UnreadableVideo(path, first_line(error)) from error
    if size == 0:
        raise UnreadableVideo(path, 'the file is empty (0 bytes)')


def _read_packets(av, container, stream) -> tuple[list[tuple], bool]:
    """`(pts, is_keyframe, duration, is_discard)` of every whole packet, and whether the file ends too soon."""
    packets, broken_off = [], False
    try:
        for packet in container.demux(stream):
            if packet.size:
                packets.append((packet.pts, packet.is_keyframe, packet.duration or 0, packet.is_discard))
                broken_off = packet.is_corrupt
    except av.FFmpegError:
        return packets, True  # cut off between two packets
    return packets[:-1] if broken_off else packets, broken_off


def _is_turned(container, path: str) -> bool:
    """Whether a player should turn the picture, which only a decoded frame tells."""
    stream = first_video_stream(container, path)
    stream.thread_type = 'NONE'
    try:
        container.seek(0)
        return bool(next(container.decode(stream)).rotation)
    except (import_library('av', 'av').FFmpegError, StopIteration):
        return False


def _is_short(path: str, container, stream, packets: list[tuple]) -> bool:
    """Whether the header promises clearly more than the packets that are there."""
    if container.format.name.startswith('mov'):  # its count includes frames that an edit list leaves out
        return _is_cut_mp4(path)
    if stream.frames:
        return len(packets) < stream.frames
    ends = [packet[0] + packet[2] for packet in packets if packet[0] is not None]
    if not ends or not container.duration:
        return False
    seconds = float((max(ends) - (stream.start_time or 0)) * stream.time_base)
    return seconds < .9 * container.duration / 1e6 - .5  # sound may go on a little longer


def _is_cut_mp4(path: str) -> bool:
    """Whether one of the outermost boxes of an MP4 or MOV file ends behind the file."""
    length, position = stat_source(path).size, 0
    with open_source(path) as file:
        while position + 8 <= length:
            file.seek(position)
            header = file.read(16)
            size = int.from_bytes(header[:4], 'big')
            if size == 1:  # the size follows in eight bytes
                size = int.from_bytes(header[8:16], 'big')
            if size == 0:  # up to the end of the file
                return False
            position += max(size, 8)
    return position > length


def _order(packets: list[tuple]) -> tuple[np.ndarray | None, np.ndarray | None, bool]:
    """Sort by time; find keyframes and whether frames stored behind a keyframe are shown before it."""
    if any(packet[0] is None for packet in packets):
        return None, None, False
    stored = np.array([packet[0] for packet in packets], dtype=np.int64)
    pts = np.sort(stored)
    if (np.diff(pts) <= 0).any():
        return None, None, False
    is_key = np.array([packet[1] for packet in packets], dtype=bool)
    # Smallest time at or behind each place of storage: below a keyframe's own time means leading frames.
    smallest_behind = np.minimum.accumulate(stored[::-1])[::-1]
    open_gop = bool((smallest_behind[is_key] < stored[is_key]).any())
    keyframes = np.searchsorted(pts, np.sort(stored[is_key]))
    return pts, keyframes, open_gop


def _count_frames(av, path: str) -> int:
    """Decode everything, convert nothing: the only way to count frames that carry no time."""
    count = 0
    with open_container(path) as container:
        for packet in container.demux(first_video_stream(container, path)):
            try:
                count += len(packet.decode())
            except av.FFmpegError:
                continue
    if not count:
        raise UnreadableVideo(path, 'none of its frames decodes')
    return count
