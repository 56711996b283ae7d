"""Writes videos of structures that are hard to come by, with PyAV only."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.videos import moving_frames, write_video

COUNT = 18
GROUP = 7  # frames from one keyframe to the next
PYRAMID = {'x264-params': f'keyint={GROUP}:bframes=3:b-pyramid=normal:b-adapt=0:mbtree=0'}
PACKED_MARK = b'\x00\x00\x01\xb2DivX503b1393p'  # user data by which DivX and XviD say that pictures are packed
NOT_CODED = b'\x00\x00\x01\xb6\x50\x00\x7f'  # a picture that FFmpeg takes for none


def video(path: Path, count: int = COUNT, size: tuple[int, int] = (48, 64), **arguments) -> None:
    """As an encoder and FFmpeg's container write it; see `write_video`."""
    write_video(path, moving_frames(count, *size), **arguments)


def packed(path: Path, b_frames: int) -> None:
    """MPEG-4 in AVI as DivX and XviD wrote it: a picture travels with the one that it is shown after."""
    packets = _encoded('mpeg4', dict(bf=str(b_frames), g=str(GROUP)))
    units, b_picture = [], [_picture_type(packet) == 2 for packet in packets]
    for number, packet in enumerate(packets):
        if b_picture[number] and not b_picture[number - 1]:
            units[-1] += packet
        elif b_picture[number]:
            units.append(packet)
        else:
            units += [NOT_CODED] * (number > 0 and b_picture[number - 1]) + [packet]
    units += [NOT_CODED] * b_picture[-1]
    place = units[0].find(b'\x00\x00\x01\xb6')
    _mux(path, 'mpeg4', [units[0][:place] + PACKED_MARK + units[0][place:], *units[1:]])


def _picture_type(packet: bytes) -> int:
    return packet[packet.find(b'\x00\x00\x01\xb6') + 4] >> 6


def undeclared(path: Path) -> None:
    """MPEG-4 whose header allows for reordering and that does without, as XviD writes it."""
    layer = b'\x00\x00\x01\x20'  # low_delay is bit 24 behind this start code, as FFmpeg fills the header
    packets = []
    for packet in _encoded('mpeg4', dict(g=str(GROUP))):
        place = packet.find(layer) + len(layer) + 3
        packets.append(packet if layer not in packet else
                       packet[:place] + bytes([packet[place] & 0x7F]) + packet[place + 1:])
    _mux(path, 'mpeg4', packets)


def palettes(path: Path, change: bool) -> None:
    """Pictures of a byte a pixel, and a palette that may change on the way."""
    colours = np.random.default_rng(0).integers(0, 256, (2, 256, 4), dtype=np.uint8)
    colours[..., 0 if path.suffix == '.nut' else 3] = 255
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('rawvideo', rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'pal8'
        for number, picture in enumerate(moving_frames(COUNT)):
            palette = colours[int(change and number >= COUNT // 2)]
            frame = av.VideoFrame.from_ndarray((np.ascontiguousarray(picture[..., 0]), palette), format='pal8')
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def with_sound(path: Path, codec: str, sound: str, video_start: float, seconds: float, **options) -> None:
    """A video that starts late, or whose sound goes on."""
    with av.open(str(path), 'w') as container:
        stream, audio = container.add_stream(codec, rate=30), container.add_stream(sound, rate=48000)
        stream.width, stream.height, stream.pix_fmt, stream.options = 64, 48, 'yuv420p', options
        audio.layout = 'mono'
        silence = av.AudioFrame.from_ndarray(np.zeros((1, int(48000 * seconds)), np.int16), format='s16', layout='mono')
        silence.sample_rate, silence.pts = 48000, 0
        resampler = av.AudioResampler(audio.format, 'mono', 48000, frame_size=audio.frame_size or 960)
        packets = [packet for frame in resampler.resample(silence) for packet in audio.encode(frame)] + audio.encode()
        for number, picture in enumerate(moving_frames(COUNT)):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format='rgb24')
            frame.pts, frame.time_base = number + round(30 * video_start), Fraction(1, 30)
            packets += stream.encode(frame)
        for packet in sorted(packets + stream.encode(), key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)


def trimmed(path: Path, first: int, left: int) -> None:
    """An edit list: the file keeps all frames and says which to show."""
    video(path, codec_options=PYRAMID)
    content = bytearray(path.read_bytes())
    place = content.find(b'elst') + 4
    version, count, _, start, rate, _ = struct.unpack('>IIIiHH', content[place:place + 20])
    content[place:place + 20] = struct.pack('>IIIiHH', version, count, left * 1000 // 30, start + first * 512, rate, 0)
    path.write_bytes(content)


def followed(path: Path, tail: bytes, **arguments) -> None:
    """Bytes behind the file's end, as recorders and web pages leave them."""
    video(path, **arguments)
    path.write_bytes(path.read_bytes() + tail)


def started_late(path: Path, **arguments) -> None:
    """A stream that is caught on its way: its first packets are gone."""
    video(path, **arguments)
    content = path.read_bytes()
    path.write_bytes(content[len(content) // 3 // 188 * 188:])


def _encoded(codec: str, options: dict, count: int = COUNT) -> list[bytes]:
    """What is in the packets of an encoder, in order of storage."""
    context = av.CodecContext.create(codec, 'w')
    context.width, context.height, context.pix_fmt, context.time_base = 64, 48, 'yuv420p', Fraction(1, 30)
    context.options = options
    frames = [av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format='rgb24').reformat(format='yuv420p')
              for picture in moving_frames(count)]
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base = number, Fraction(1, 30)
    return [bytes(packet) for frame in [*frames, None] for packet in context.encode(frame)]


def _mux(path: Path, codec: str, units: Sequence[bytes]) -> None:
    """Write packets at 30 a second, one time for both of their times."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        for number, unit in enumerate(units):
            packet = av.Packet(unit)
            packet.stream, packet.time_base = stream, Fraction(1, 30)
            packet.pts = packet.dts = number
            packet.is_keyframe = b'\x00\x00\x01\xb6' in unit and _picture_type(unit) == 0
            container.mux(packet)
