"""What `input.py` compares with: videos made for it, and the plain use of each library."""

import contextlib
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from PIL import Image

from iboot_mm.datasets.decoders import open_video
from iboot_mm.datasets.decoders.conversion import converter
from iboot_mm.datasets.decoders.packets import PacketIndex


class MadeVideo(NamedTuple):
    """How a video is made; `grain` is its standard deviation, `tag` names the codec in the container."""

    ending: str
    codec: str
    options: dict[str, str]
    grain: float
    size: tuple[int, int] = (256, 340)
    fps: int = 30
    tag: str = ''


KINDS = {
    'sparse_light': MadeVideo('mp4', 'libx264', dict(g='250', crf='28'), 1.),
    'sparse_heavy': MadeVideo('mp4', 'libx264', dict(g='250', crf='20'), 4.),
    'dense_light': MadeVideo('mp4', 'libx264', dict(g='12', crf='28'), 1.),
    'dense_heavy': MadeVideo('mp4', 'libx264', dict(g='12', crf='20'), 4.),
    # UCF101's: size, rate, about its bits a second, B-frames as in a third of its files.
    'xvid': MadeVideo('avi', 'mpeg4', dict(g='250', bf='2', b='400k'), 1., (240, 320), 25, 'XVID'),
    'vp9': MadeVideo('webm', 'libvpx-vp9', {'g': '128', 'crf': '32', 'b': '0', 'deadline': 'realtime', 'cpu-used': '8'},
                     1.)}


def make_video(folder: Path, name: str, seconds: float, height: int | None = None) -> Path:
    """Write one of `KINDS`, scaled to another height if there is one."""
    kind = KINDS[name]
    path, rng = folder / f'{name}.{kind.ending}', np.random.default_rng(0)
    height = height or kind.size[0]
    width = kind.size[1] * height // kind.size[0] // 2 * 2
    cells = rng.integers(0, 256, (height // 4, height // 3, 3), dtype=np.uint8)
    texture = np.asarray(Image.fromarray(cells).resize((3 * width, 3 * height), Image.Resampling.BICUBIC))
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(kind.codec, rate=kind.fps, options=kind.options)
        stream.height, stream.width, stream.pix_fmt = height, width, 'yuv420p'
        if kind.tag:
            stream.codec_context.codec_tag = kind.tag
        for t in range(round(kind.fps * seconds)):
            x, y = int(width * (1 + .5 * np.sin(t / 40))), int(height * (1 + .5 * np.cos(t / 55)))
            frame = texture[y:y + height, x:x + width].astype(np.float32)
            left, side = 3 * t % (width - height // 5), height // 5
            frame[side:2 * side, left:left + side] = texture[:side, :side]
            frame += rng.normal(0, kind.grain, frame.shape)
            picture = av.VideoFrame.from_ndarray(frame.clip(0, 255).astype(np.uint8), format='rgb24')
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def plain_pyav(path: str, numbers: np.ndarray, index: PacketIndex) -> np.ndarray:
    """Frames uint8 (U, H, W, 3) by the plain loop of PyAV's documentation, one seek for each group of pictures.

    Where the container stores no times, frames are counted from the start to the last one.
    """
    if index.pts is None:
        return counted_pyav(path, numbers)
    found, group_of = [], np.searchsorted(index.keyframes, numbers, side='right') - 1
    convert = converter(num_threads=1)
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = 'NONE'
        for group in np.unique(group_of):
            times = index.pts[numbers[group_of == group]].tolist()
            container.seek(int(index.pts[index.keyframes[group]]), stream=stream)
            for frame in container.decode(stream):
                if frame.pts in times:
                    found.append(convert(frame, format='rgb24').to_ndarray())
                if frame.pts >= times[-1]:
                    break
    return np.stack(found)


def counted_pyav(path: str, numbers: np.ndarray) -> np.ndarray:
    wanted, convert = set(numbers.tolist()), converter(num_threads=1)
    with av.open(path) as container:
        container.streams.video[0].thread_type = 'NONE'
        frames = itertools.islice(container.decode(video=0), int(numbers[-1]) + 1)
        return np.stack([convert(frame, format='rgb24').to_ndarray() for number, frame in enumerate(frames)
                         if number in wanted])


def plain_decord(path: str, numbers: np.ndarray) -> np.ndarray:
    import decord
    return decord.VideoReader(path, num_threads=1).get_batch(numbers).asnumpy()


def plain_torchcodec(path: str, numbers: np.ndarray) -> np.ndarray:
    from torchcodec.decoders import VideoDecoder
    video = VideoDecoder(path, dimension_order='NHWC', num_ffmpeg_threads=1)
    return video.get_frames_at(indices=numbers.tolist()).data.numpy()


PLAIN = dict(pyav=plain_pyav, decord=plain_decord, torchcodec=plain_torchcodec)


def libraries(path: Path | str) -> dict[str, Callable]:
    """The plain decoders of the libraries that work here, of which `path`, a video, is the proof."""
    found = {}
    for name, plain in PLAIN.items():
        with contextlib.suppress(ImportError):
            open_video(str(path), name).close()
            found[name] = plain
    return found
