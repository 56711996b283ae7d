"""What `input.py` compares with: videos made for it, and the plain use of each library."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from PIL import Image

from iboot_mm.datasets.decoders import open_video
from iboot_mm.datasets.decoders.conversion import converter
from iboot_mm.datasets.decoders.packets import PacketIndex

# name: (options of x264, standard deviation of the grain)
KINDS = {
    'sparse_light': (dict(g='250', crf='28'), 1.), 'sparse_heavy': (dict(g='250', crf='20'), 4.),
    'dense_light': (dict(g='12', crf='28'), 1.), 'dense_heavy': (dict(g='12', crf='20'), 4.)}


def make_video(path: Path, options: dict[str, str], grain: float, seconds: float, height: int) -> Path:
    """Write a video of 30 frames a second and 4 : 3."""
    rng, width = np.random.default_rng(0), height * 85 // 64 // 2 * 2
    cells = rng.integers(0, 256, (height // 4, height // 3, 3), dtype=np.uint8)
    texture = np.asarray(Image.fromarray(cells).resize((3 * width, 3 * height), Image.Resampling.BICUBIC))
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=30, options=options)
        stream.height, stream.width, stream.pix_fmt = height, width, 'yuv420p'
        for t in range(round(30 * seconds)):
            x, y = int(width * (1 + .5 * np.sin(t / 40))), int(height * (1 + .5 * np.cos(t / 55)))
            frame = texture[y:y + height, x:x + width].astype(np.float32)
            left, side = 3 * t % (width - height // 5), height // 5
            frame[side:2 * side, left:left + side] = texture[:side, :side]
            frame += rng.normal(0, grain, frame.shape)
            picture = av.VideoFrame.from_ndarray(frame.clip(0, 255).astype(np.uint8), format='rgb24')
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def plain_pyav(path: str, numbers: np.ndarray, index: PacketIndex) -> np.ndarray:
    """Frames uint8 (U, H, W, 3) by the plain loop of PyAV's documentation, one seek for each group of pictures."""
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
