"""Small videos of every kind: containers x codecs x structure, written with PyAV as far as its encoders go."""

import struct
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from tests.videos import moving_frames, write_video

COUNT = 18
GROUP = 7  # frames from one keyframe to the next
GAPS = np.random.default_rng(1).uniform(.01, .1, COUNT)
PACKED_MARK = b'\x00\x00\x01\xb2DivX503b1393p'  # user data by which DivX and XviD say that pictures are packed
NOT_CODED = b'\x00\x00\x01\xb6\x50\x00\x7f'  # a picture that FFmpeg takes for none
X264 = dict(
    b0=dict(g=str(GROUP), bf='0'), b1=dict(g=str(GROUP), bf='1', **{'b-pyramid': 'none'}),
    b2=dict(g=str(GROUP), bf='2', **{'b-pyramid': 'none'}),
    pyramid={'x264-params': f'keyint={GROUP}:bframes=3:b-pyramid=normal:b-adapt=0:mbtree=0'},
    open_gop={'x264-params': f'keyint={GROUP}:min-keyint=4:open-gop=1:bframes=3:b-adapt=0:mbtree=0'},
    refresh={'x264-params': f'keyint={GROUP}:intra-refresh=1:bframes=0:mbtree=0'})
X265 = {name: {'x265-params': f'keyint={GROUP}:log-level=none:pools=1:frame-threads=1:' + options} for name, options in dict(
    b0='bframes=0', pyramid='bframes=3:b-adapt=0:open-gop=0', open_gop='bframes=3:b-adapt=0:open-gop=1').items()}
VPX = dict(deadline='realtime', g=str(GROUP), **{'cpu-used': '8'})


class Kind(NamedTuple):
    """A kind of file: `write(path)` makes one."""

    structure: str
    codec: str
    ending: str
    write: Callable[[Path], None]

    def __str__(self) -> str:
        return f'{self.structure}_{self.codec}.{self.ending}'.replace(' ', '_').replace('+', '_')


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
        silence = av.AudioFrame.from_ndarray(
            np.zeros((1, int(48000 * seconds)), np.float32 if sound == 'aac' else np.int16),
            format='fltp' if sound == 'aac' else 's16', layout='mono')
        silence.sample_rate, silence.pts = 48000, 0
        resampler = av.AudioResampler(format=audio.format, layout='mono', rate=48000, frame_size=audio.frame_size or 960)
        packets = [packet for frame in resampler.resample(silence) for packet in audio.encode(frame)] + audio.encode()
        for number, picture in enumerate(moving_frames(COUNT)):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format='rgb24')
            frame.pts, frame.time_base = number + round(30 * video_start), Fraction(1, 30)
            packets += stream.encode(frame)
        for packet in sorted(packets + stream.encode(), key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)


def trimmed(path: Path, first: int, left: int) -> None:
    """An edit list: the file keeps all frames and says which to show."""
    video(path, codec_options=X264['pyramid'])
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


def kinds() -> Iterator[Kind]:
    """Every kind that this build of FFmpeg can write."""
    for kind in _all():
        if kind.codec in av.codecs_available:
            yield kind


def _all() -> Iterator[Kind]:
    yield Kind('pyramid', 'libx264', 'm2ts', partial(video, codec_options=X264['pyramid']))
    yield Kind('pyramid', 'libx264', 'nut', partial(video, codec_options=X264['pyramid']))
    for structure, options in X264.items():
        for ending in ('mp4', 'mkv', 'avi', 'wmv', 'ts', 'flv', 'h264'):
            yield Kind(structure, 'libx264', ending, partial(video, codec_options=options))
    for structure, options in X265.items():
        for ending in ('mp4', 'mkv', 'ts'):
            yield Kind(structure, 'libx265', ending, partial(video, codec='libx265', codec_options=options))
    for b_frames in range(3):
        for ending in ('avi', 'mp4', 'mkv', 'wmv', 'nut', 'm4v'):
            yield Kind(f'b{b_frames}', 'mpeg4', ending, partial(video, codec='mpeg4', codec_options=dict(
                bf=str(b_frames), g=str(GROUP))))
        for codec, endings in dict(mpeg2video=('mpg', 'ts', 'mkv', 'avi', 'mxf', 'm2v'),
                                   mpeg1video=('mpg', 'avi')).items():
            for ending in endings:
                yield Kind(f'b{b_frames}', codec, ending, partial(video, codec=codec, fps=25, codec_options=dict(
                    bf=str(b_frames), g=str(GROUP))))
    for b_frames in (1, 2):
        yield Kind(f'packed b{b_frames}', 'mpeg4', 'avi', partial(packed, b_frames=b_frames))
    yield Kind('undeclared', 'mpeg4', 'avi', undeclared)
    for codec, endings in {'libvpx': ('webm', 'mkv', 'avi', 'ivf'), 'libvpx-vp9': ('webm', 'mkv', 'mp4', 'avi', 'ivf'),
                           'libsvtav1': ('webm', 'mp4', 'ivf')}.items():
        options = VPX if codec != 'libsvtav1' else dict(preset='12', g=str(GROUP))
        for ending in endings:
            yield Kind('plain', codec, ending, partial(video, size=(64, 80), codec=codec, codec_options=options))
    hidden = {'auto-alt-ref': '1', 'lag-in-frames': '16', 'deadline': 'good', 'cpu-used': '4', 'b': '100k'}
    for codec, ending in (('libvpx', 'webm'), ('libvpx-vp9', 'webm'), ('libvpx-vp9', 'mp4')):
        yield Kind('hidden references', codec, ending, partial(video, count=60, codec=codec, codec_options=hidden))
    for codec, pix_fmt, endings in (
            ('mjpeg', 'yuvj420p', ('avi', 'mov', 'mkv')), ('ffv1', 'yuv420p', ('mkv', 'avi')), ('png', 'rgb24', ('mov',)),
            ('ffvhuff', 'yuv420p', ('avi',)), ('huffyuv', 'yuv422p', ('avi',)), ('utvideo', 'yuv420p', ('avi',)),
            ('flv', 'yuv420p', ('flv', 'avi')), ('wmv1', 'yuv420p', ('wmv', 'avi')), ('wmv2', 'yuv420p', ('wmv', 'avi')),
            ('msmpeg4', 'yuv420p', ('avi', 'wmv')), ('cinepak', 'rgb24', ('avi', 'mov')), ('qtrle', 'rgb24', ('mov',)),
            ('msvideo1', 'rgb555le', ('avi',)), ('rawvideo', 'yuv420p', ('avi', 'mkv', 'nut')), ('snow', 'yuv420p', ('avi',)),
            ('jpeg2000', 'yuv420p', ('mov',)), ('gif', 'rgb8', ('gif',)), ('apng', 'rgb24', ('apng',)),
            ('prores_ks', 'yuv422p10le', ('mov',)), ('svq1', 'yuv410p', ('mov',)), ('zmbv', 'bgr0', ('avi',)),
            ('flashsv', 'bgr24', ('flv',)), ('wrapped_avframe', 'yuv420p', ('y4m',)), ('rawvideo', 'yuv420p', ('y4m',)),
            ('ffv1', 'gray', ('mkv',)), ('ffv1', 'yuva420p', ('mkv',)), ('qtrle', 'argb', ('mov',)),
            ('png', 'rgba', ('mov',)), ('libx264', 'gray', ('mp4', 'mkv')), ('rawvideo', 'gray', ('mov', 'avi', 'mkv')),
            ('libx264', 'yuv422p', ('mp4',)), ('libx264', 'yuv444p', ('mp4',)), ('libx264', 'yuv420p10le', ('mp4', 'mkv')),
            ('libx264', 'yuv422p10le', ('mp4',)), ('libx264', 'yuv444p10le', ('mp4',)), ('libx264', 'yuvj420p', ('mp4',)),
            ('ffv1', 'yuv420p10le', ('mkv',)), ('ffv1', 'yuv411p', ('mkv',)), ('ffv1', 'yuv410p', ('mkv',)),
            ('libx264rgb', 'rgb24', ('mp4',)), ('ffv1', 'gray16le', ('mkv',)), ('libx265', 'yuv420p10le', ('mp4',))):
        for ending in endings:
            yield Kind(pix_fmt, codec, ending, partial(video, codec=codec, pix_fmt=pix_fmt))
    for size in ((49, 64), (48, 65), (51, 67)):
        yield Kind(f'odd {size[1]}x{size[0]}', 'libvpx-vp9', 'webm', partial(
            video, size=size, codec='libvpx-vp9', codec_options=VPX))
    yield Kind('352x288', 'h263', '3gp', partial(video, codec='h263', size=(288, 352), count=12))
    yield Kind('pal', 'dvvideo', 'dv', partial(video, codec='dvvideo', size=(576, 720), count=5, fps=25))
    for change in (False, True):
        for ending in ('avi', 'mov', 'nut'):
            yield Kind('palette changes' if change else 'palette', 'rawvideo', ending, partial(palettes, change=change))
    for codec, ending in (('libx264', 'mp4'), ('libx264', 'mkv'), ('libvpx-vp9', 'webm'), ('mpeg4', 'mp4'),
                          ('libx264', 'ts'), ('libx264', 'flv')):
        options = dict(libx264=X264['pyramid'], mpeg4=dict(bf='2')).get(codec, VPX)
        arguments = dict(codec=codec, codec_options=options, tick=Fraction(1, 1000 if codec == 'mpeg4' else 90000))
        for structure, times in {'variable rate': np.cumsum(GAPS), 'late': 5 + np.arange(COUNT) / 30,
                                 'gap': np.arange(COUNT) / 30 + 3. * (np.arange(COUNT) > 9)}.items():
            yield Kind(structure, codec, ending, partial(video, times=times, **arguments))
    for codec, options in (('mpeg4', {}), ('mpeg4', dict(bf='2')), ('libx264', X264['b0']), ('libx264', X264['b2'])):
        yield Kind(f'dropped frames b{options.get("bf", 0)}', codec, 'avi', partial(
            video, codec=codec, codec_options=options, times=(np.arange(COUNT) + 5 * (np.arange(COUNT) > 7)) / 30,
            tick=Fraction(1, 30)))
    for codec, sound, ending in (('libx264', 'aac', 'mp4'), ('libx264', 'aac', 'mkv'), ('libvpx', 'libopus', 'webm'),
                                 ('libx264', 'aac', 'ts'), ('libx264', 'aac', 'flv'), ('mpeg4', 'aac', 'avi')):
        yield Kind('late behind sound', codec, ending, partial(
            with_sound, codec=codec, sound=sound, video_start=2., seconds=3.))
        yield Kind('longer sound', codec, ending, partial(
            with_sound, codec=codec, sound=sound, video_start=0., seconds=8.))
    yield Kind('trimmed', 'libx264', 'mp4', partial(trimmed, first=4, left=10))
    for ending in ('mp4', 'mov', 'mkv', 'avi', 'ts'):
        yield Kind('followed', 'libx264', ending, partial(followed, tail=b'<html>not found</html>\n' * 40))
    yield Kind('followed', 'libx264', 'mp4', partial(followed, tail=bytes(100)))
    for codec, ending in (('libx264', 'ts'), ('mpeg2video', 'ts'), ('mpeg2video', 'mpg'), ('libx264', 'h264')):
        yield Kind('caught late', codec, ending, partial(started_late, codec=codec, fps=25, codec_options=(
            X264['pyramid'] if codec == 'libx264' else dict(bf='2', g=str(GROUP)))))
    for codec, ending, options in (
            ('libx264', 'mp4', {'flags': '+ildct+ilme', 'x264-params': 'tff=1:bframes=2'}),
            ('libx264', 'ts', {'flags': '+ildct+ilme', 'x264-params': 'tff=1:bframes=2'}),
            ('mpeg2video', 'mpg', dict(flags='+ildct+ilme', bf='2')), ('mpeg2video', 'mkv', dict(flags='+ildct+ilme')),
            ('mpeg4', 'avi', dict(flags='+ildct+ilme'))):
        yield Kind('interlaced', codec, ending, partial(video, codec=codec, codec_options=options, fps=25, size=(64, 64)))
    for rotation in (90, 180, 270):
        yield Kind(f'turned by {rotation}', 'libx264', 'mp4', partial(video, rotation=rotation))
    for count in (1, 2):
        for codec, ending in (('libx264', 'mp4'), ('libx264', 'mkv'), ('mpeg4', 'avi'), ('libvpx-vp9', 'webm'),
                              ('libx264', 'ts'), ('mpeg2video', 'mpg')):
            yield Kind(f'frames {count}', codec, ending, partial(video, count=count, codec=codec, fps=25))
    for flags in ('frag_keyframe+empty_moov', 'faststart', 'negative_cts_offsets'):
        yield Kind(flags, 'libx264', 'mp4', partial(
            video, codec_options=X264['pyramid'], format_options=dict(movflags=flags)))
