"""Small videos of every kind: containers x codecs x structure, written with PyAV as far as its encoders go."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from tests.datasets.decoders.structures import (
    COUNT,
    GROUP,
    PYRAMID,
    followed,
    packed,
    palettes,
    started_late,
    trimmed,
    undeclared,
    video,
    with_sound,
)

GAPS = np.random.default_rng(1).uniform(.01, .1, COUNT)
X264 = dict(
    b0=dict(g=str(GROUP), bf='0'), b1=dict(g=str(GROUP), bf='1', **{'b-pyramid': 'none'}),
    b2=dict(g=str(GROUP), bf='2', **{'b-pyramid': 'none'}),
    pyramid=PYRAMID,
    open_gop={'x264-params': f'keyint={GROUP}:min-keyint=4:open-gop=1:bframes=3:b-adapt=0:mbtree=0'},
    refresh={'x264-params': f'keyint={GROUP}:intra-refresh=1:bframes=0:mbtree=0'})
X265 = {structure: {'x265-params': f'keyint={GROUP}:log-level=none:pools=1:frame-threads=1:b-adapt=0:' + options}
        for structure, options in dict(b0='bframes=0', pyramid='bframes=3:open-gop=0',
                                       open_gop='bframes=3:open-gop=1').items()}
VPX = dict(deadline='realtime', g=str(GROUP), **{'cpu-used': '8'})
# codec: pixel formats, each with the containers that it is written into
PIXELS = {
    'mjpeg': {'yuvj420p': 'avi mov mkv'},
    'ffv1': {'yuv420p': 'mkv avi', 'gray': 'mkv', 'yuva420p': 'mkv', 'yuv420p10le': 'mkv', 'yuv411p': 'mkv',
             'yuv410p': 'mkv', 'gray16le': 'mkv'},
    'png': {'rgb24': 'mov', 'rgba': 'mov'}, 'ffvhuff': {'yuv420p': 'avi'}, 'huffyuv': {'yuv422p': 'avi'},
    'utvideo': {'yuv420p': 'avi'}, 'flv': {'yuv420p': 'flv avi'}, 'wmv1': {'yuv420p': 'wmv avi'},
    'wmv2': {'yuv420p': 'wmv avi'}, 'msmpeg4': {'yuv420p': 'avi wmv'}, 'cinepak': {'rgb24': 'avi mov'},
    'qtrle': {'rgb24': 'mov', 'argb': 'mov'}, 'msvideo1': {'rgb555le': 'avi'},
    'rawvideo': {'yuv420p': 'avi mkv nut y4m', 'gray': 'mov avi mkv'}, 'snow': {'yuv420p': 'avi'},
    'jpeg2000': {'yuv420p': 'mov'}, 'gif': {'rgb8': 'gif'}, 'apng': {'rgb24': 'apng'},
    'prores_ks': {'yuv422p10le': 'mov'}, 'svq1': {'yuv410p': 'mov'}, 'zmbv': {'bgr0': 'avi'},
    'flashsv': {'bgr24': 'flv'}, 'wrapped_avframe': {'yuv420p': 'y4m'},
    'libx264': {'gray': 'mp4 mkv', 'yuv422p': 'mp4', 'yuv444p': 'mp4', 'yuv420p10le': 'mp4 mkv',
                'yuv422p10le': 'mp4', 'yuv444p10le': 'mp4', 'yuvj420p': 'mp4'},
    'libx264rgb': {'rgb24': 'mp4'}, 'libx265': {'yuv420p10le': 'mp4'},
}


class Kind(NamedTuple):
    """A kind of file: `write(path)` makes one."""

    structure: str
    codec: str
    ending: str
    write: Callable[[Path], None]

    def __str__(self) -> str:
        return f'{self.structure}_{self.codec}.{self.ending}'.replace(' ', '_').replace('+', '_')


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
    for codec, formats in PIXELS.items():
        for pix_fmt, endings in formats.items():
            for ending in endings.split():
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
        yield Kind('interlaced', codec, ending, partial(
            video, codec=codec, codec_options=options, fps=25, size=(64, 64)))
    for rotation in (90, 180, 270):
        yield Kind(f'turned by {rotation}', 'libx264', 'mp4', partial(video, rotation=rotation))
    for count in (1, 2):
        for codec, ending in (('libx264', 'mp4'), ('libx264', 'mkv'), ('mpeg4', 'avi'), ('libvpx-vp9', 'webm'),
                              ('libx264', 'ts'), ('mpeg2video', 'mpg')):
            yield Kind(f'frames {count}', codec, ending, partial(video, count=count, codec=codec, fps=25))
    for flags in ('frag_keyframe+empty_moov', 'faststart', 'negative_cts_offsets'):
        yield Kind(flags, 'libx264', 'mp4', partial(
            video, codec_options=X264['pyramid'], format_options=dict(movflags=flags)))
