"""What a file's packets and frames tell of it: everything is read once, nothing converted."""

import os
from typing import Any, NamedTuple

from ..remote import is_remote
from ..sources import SourceStat, is_plain_file, open_source, stat_source
from .base import UnreadableVideo, first_line, import_library
from .extent import ends_early
from .picture_order import PictureOrder, holds_idr

# Containers made for broadcast: where one was cut off, nothing tells whether the frame stored last is whole.
STREAMS = ('mpeg',)
# Containers whose end tells more than their headers: a stream has none, and those of MP4 may count what is there.
_CUT_IS_SHORT = (*STREAMS, 'mov')
_EXACT_SECONDS = ('flv', 'live_flv')
# What a packet may carry for all that follow, and what a seek loses.
_LASTING_SIDE_DATA = ('palette', 'new_extradata', 'param_change')
# Pixels that all decoders convert to the same colours (docs/videos.md). FFmpeg's versions interpolate subsampled colour
# in other ways where it has more than 8 bits, or an odd number of rows.
_CONVERTED_ALIKE = ('yuv420p', 'yuvj420p', 'yuv422p', 'yuvj422p', 'yuv444p', 'yuvj444p', 'yuva420p', 'gray', 'gbrp',
                    'rgb24', 'bgr24', 'rgba', 'bgra', 'rgb0', 'bgr0')
_KEPT = 2**26  # bytes of decoded frames that are kept from counting them to reading them


def open_container(path: str) -> Any:
    """PyAV's container of a file, of a video in a shard or at a remote address.

    Raises:
        OSError: If there is none; `av.FFmpegError` if FFmpeg cannot open it.
    """
    # An absolute path is no protocol of FFmpeg's, which `12:30.mp4` would be.
    return import_library('av', 'av').open(os.path.abspath(path) if is_plain_file(path) else open_source(path))


def first_video_stream(container: Any, path: str) -> Any:
    """The first stream of moving pictures (a cover picture in a sound file is none)."""
    for stream in container.streams.video:
        if not stream.disposition & type(stream.disposition).attached_pic:
            return stream
    raise UnreadableVideo(path, 'it has no video stream (sound only?)')


def check_file(path: str) -> SourceStat:
    """What is known of a file; raises `UnreadableVideo` with a reason where there is none or nothing in it."""
    try:
        about = stat_source(path)
    except FileNotFoundError:
        or_away = ', or its server does not answer' if is_remote(path) else ''  # for fsspec that is the same
        raise UnreadableVideo(path, f'there is no such file{or_away}') from None
    except IsADirectoryError:
        raise UnreadableVideo(path, "it is a folder (for folders of frames choose the decoder 'frames')") from None
    except OSError as error:
        raise UnreadableVideo(path, first_line(error)) from error
    if about.size == 0:
        raise UnreadableVideo(path, 'the file is empty (0 bytes)')
    return about


class Packet(NamedTuple):
    """What is remembered of a packet of a video stream; times in ticks."""

    pts: int | None
    dts: int | None
    is_keyframe: bool
    is_discard: bool


class Content(NamedTuple):
    """What reading all packets has shown.

    `end`: seconds at which the longest stream ends. `fault`: the file ends within a packet. `stateful`: packets carry
    what holds for later ones. `soft_keyframes`: not every keyframe is a picture that can be decoded by itself.
    """

    packets: list[Packet]
    order: PictureOrder
    end: float
    fault: bool
    stateful: bool
    soft_keyframes: bool


def read_packets(av: Any, container: Any, stream: Any) -> Content:
    """The whole packets of a stream in order of storage, and what they tell of the file."""
    context = stream.codec_context
    packets, order, ends, broken_off, fault = [], PictureOrder(context), {}, False, False
    stateful, soft, is_h264 = context.pix_fmt == 'pal8', False, context.codec.name == 'h264'
    side_data = getattr(av.Packet, 'iter_sidedata', lambda packet: ())  # PyAV 14 does not tell
    try:
        for packet in container.demux():
            if packet.pts is not None:  # of any stream
                end = packet.pts + (packet.duration or 0)
                ends[packet.stream_index] = max(end, ends.get(packet.stream_index, end))
            if packet.stream_index != stream.index or not packet.size:
                continue
            packets.append(Packet(packet.pts, packet.dts, packet.is_keyframe, packet.is_discard))
            broken_off = packet.is_corrupt
            order.see(packet)
            stateful = stateful or any(side.data_type in _LASTING_SIDE_DATA for side in side_data(packet))
            soft = soft or (is_h264 and packet.is_keyframe and not holds_idr(packet, context.extradata))
    except av.FFmpegError:
        fault = True  # cut off between two packets
    seconds = [float(end * container.streams[number].time_base) for number, end in ends.items()]
    return Content(packets[:-1] if broken_off else packets, order, max(seconds, default=0.), fault or broken_off,
                    stateful, soft)


def is_short(path: str, container: Any, stream: Any, content: Content) -> bool:
    """Whether the file promises more frames than the packets that are there."""
    early = ends_early(path, container.format.name)
    if early is False or (early and container.format.name.startswith(_CUT_IS_SHORT)):
        return early
    if stream.frames:
        return len(content.packets) < stream.frames
    if not content.packets or not container.duration:
        return bool(early)
    duration, rate = container.duration / 1e6, stream.average_rate or stream.guessed_rate or 25
    exact = early or container.format.name in _EXACT_SECONDS
    # Others that do not tell their length in bytes may not know that in seconds to the point either.
    return content.end < (duration - .05 - 1 / rate if exact else .9 * duration - .5)


def count_frames(av: Any, path: str) -> tuple[int, tuple | None]:
    """Decode everything, convert nothing: the only way to count frames that carry no time.

    Returns:
        tuple[int, tuple | None]: The number of frames, and the frames themselves unless they are too many.
    """
    frames, count, size = [], 0, 0
    with open_container(path) as container:
        stream = first_video_stream(container, path)
        stream.thread_type = 'NONE'  # the data workers fill the cores
        for packet in container.demux(stream):
            try:
                new = packet.decode()
            except av.FFmpegError:
                continue
            count += len(new)
            size += sum(plane.buffer_size for frame in new for plane in frame.planes)
            frames.extend(new)
            if size > _KEPT:
                frames.clear()
    if not count:
        raise UnreadableVideo(path, 'none of its frames decodes')
    return count, tuple(frames) if len(frames) == count else None


def quirk_of_first_frame(container: Any, path: str) -> str:
    """What only a decoded frame tells of a file that other decoders than PyAV are not to be trusted with."""
    av, stream = import_library('av', 'av'), first_video_stream(container, path)
    stream.thread_type = 'NONE'
    try:
        container.seek(0)
        frame = next(container.decode(stream))
    except (av.FFmpegError, StopIteration):
        return 'first frame does not decode'
    pixels = frame.format
    subsampled = (pixels.chroma_width(frame.width), pixels.chroma_height(frame.height)) != (frame.width, frame.height)
    if frame.rotation:
        return 'turned picture'
    if frame.interlaced_frame:
        return 'interlaced'
    if pixels.name not in _CONVERTED_ALIKE or (subsampled and (frame.width % 2 or frame.height % 2)):
        return f'colours stored as {pixels.name} at {frame.width} x {frame.height}'
    return ''
