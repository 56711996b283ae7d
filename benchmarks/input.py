"""Time of a training sample on one core, and of a loader's workers.

    python benchmarks/input.py [--folder VIDEOS] [--workers 0 1 2] [--save]

A sample is 3 clips of 8 frames, every 8th, at 224 pixels, uint8. It comes from H.264 of 340 x 256 pixels, ten seconds,
made here (a texture that the camera pans over, patches that move, grain) with few and many keyframes, light and heavy;
from XVID with B-frames in AVI of UCF101's size and rate; from VP9 in WebM; and, with --folder, from each video of that
folder. Frames are drawn once, and all rows but MMAction2's read the same.

- floor, LIBRARY: plain decoding alone, of the frames that the sample needs: the file is opened, a library seeks to the
  keyframe before each run of them, decodes on to the last and converts the wanted ones to RGB. PyAV is told all times
  beforehand. The fastest of these rows is the floor that the others are divided by.
- ours, DECODER, decode: `OpenVideo` (counts the frames of the file, too) and `DecodeViews`.
- ours, DECODER, sample: all of a training pipeline: these, the draws, crops and flips, packing. Colours and blur are
  not in it: they are left to the device, where `benchmarks/augmentation.py` measures them.
- MMAction2: its own transforms for three such clips: DecordInit, SampleFrames, DecordDecode, RandomRescale, RandomCrop,
  Flip, FormatShape, PackActionInputs. One crop for all three clips: less than ours do.
- MMAction2 + torchvision: and the colours and blur of iBoot's recipe, one draw per clip, by torchvision.

One thread per process. The second table reads the made videos through a `DataLoader`: `seconds to first batch` includes
the start of the workers, `MiB per worker` is what only that process holds (its private memory).
"""

import argparse
import functools
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from augmentation import torchvision_colours
from mmaction.registry import TRANSFORMS
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope
from plain_decoding import KINDS, libraries, make_video, plain_pyav
from side_by_side import interleaved, parser, publish, table
from torch.utils.data import DataLoader

import iboot_mm  # noqa: F401
from iboot_mm.datasets import VideoFolder
from iboot_mm.datasets.decoders import open_video
from iboot_mm.datasets.decoders.packets import index_packets

CLIPS = dict(clip_len=8, frame_interval=8)


def ours(decoder: str, size: int) -> list:
    """The transforms of `configs/_base_/datasets/kinetics400.py`."""
    return [TRANSFORMS.build(step) for step in (
        dict(type='OpenVideo', decoder=decoder), dict(type='SampleViews', num_views=3, **CLIPS),
        dict(type='DecodeViews'), dict(type='CropViews', size=size, short_side=short_sides(size)),
        dict(type='PackViews'))]


def short_sides(size: int) -> tuple[int, int]:
    """256 to 320 for 224 pixels."""
    return size * 8 // 7, size * 10 // 7


def stock(size: int) -> Compose:
    """MMAction2's transforms."""
    with DefaultScope.overwrite_default_scope('mmaction'):
        return Compose([
            dict(type='DecordInit', num_threads=1), dict(type='SampleFrames', num_clips=3, **CLIPS),
            dict(type='DecordDecode'), dict(type='RandomRescale', scale_range=short_sides(size)),
            dict(type='RandomCrop', size=size), dict(type='Flip', flip_ratio=.5),
            dict(type='FormatShape', input_format='NCTHW'), dict(type='PackActionInputs')])


def colours_by_torchvision(clips: torch.Tensor) -> torch.Tensor:
    """iBoot's colours and blur of clips uint8 (V, 3, T, H, W), one draw per clip, as torchvision does them."""
    change = torchvision_colours()
    return torch.stack([change(clip.transpose(0, 1)).transpose(0, 1) for clip in clips])


def rows(path: str, args: argparse.Namespace) -> dict[str, Callable[[], object]]:
    """What is measured of one video, by name; each call makes `args.samples` samples."""
    plain, index = libraries(path), index_packets(path)
    samplers = {name: ours(name, args.size) for name in [*plain, *args.decoders]}
    draw = samplers['pyav'][1]
    draw.set_epoch(0, 0)
    numbers = [np.unique(draw(dict(total_frames=index.num_frames, fps=index.fps, sample_idx=k))['frame_inds'])
               for k in range(args.samples)]
    plain['pyav'] = functools.partial(plain_pyav, index=index)

    def decode(decoder: str, frames: np.ndarray) -> np.ndarray:
        with open_video(path, decoder) as video:
            return video.read(frames)

    def sample(steps: list, k: int) -> dict:
        steps[1].set_epoch(0, 0)
        return Compose(steps)(dict(filename=path, sample_idx=k))

    def stock_sample(colours: Callable, pipeline: Compose) -> torch.Tensor:
        return colours(pipeline(dict(filename=path, start_index=0, modality='RGB', label=0))['inputs'])

    measured = {f'floor, {name}': [functools.partial(read, path, frames) for frames in numbers]
                for name, read in plain.items()}
    for name, steps in samplers.items():
        measured[f'ours, {name}, decode'] = [functools.partial(decode, name, frames) for frames in numbers]
        measured[f'ours, {name}, sample'] = [functools.partial(sample, steps, k) for k in range(args.samples)]
    if 'decord' in plain:
        for name, colours in {'MMAction2': torch.Tensor.contiguous,
                              'MMAction2 + torchvision': colours_by_torchvision}.items():
            measured[name] = [functools.partial(stock_sample, colours, stock(args.size))] * args.samples
    return {name: functools.partial(lambda calls: [call() for call in calls], calls)
            for name, calls in measured.items()}


def time_samples(path: Path, args: argparse.Namespace) -> str:
    """The first table, of one video."""
    seconds = {name: taken / args.samples for name, taken in interleaved(rows(str(path), args), args.repeats).items()}
    floor = min(taken for name, taken in seconds.items() if name.startswith('floor'))
    size = f'{path.name}, {path.stat().st_size / 1024:.0f} KiB'
    return table((size, 'ms a sample', 'to the floor', 'samples / s'), [
        (name, f'{1e3 * taken:.1f}', f'{taken / floor:.2f}', f'{1 / taken:.1f}') for name, taken in seconds.items()])


def private_mib(pid: int) -> float:
    """What only this process holds in memory; Linux."""
    lines = Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith('Private_')) / 1024


def load(folder: Path, workers: int, args: argparse.Namespace) -> tuple[float, float, float]:
    """Samples per second behind the first batch, MiB per worker, seconds to the first batch."""
    videos = VideoFolder(str(folder), pipeline=ours('auto', args.size))
    order = [k % len(videos) for k in range((1 + max(workers, 1)) * args.batch + args.load)]
    start = time.perf_counter()
    batches = iter(DataLoader(videos, args.batch, sampler=order, num_workers=workers, collate_fn=pseudo_collate))
    next(batches)
    first = time.perf_counter() - start
    for _ in range(max(workers, 1)):  # what the workers made while the first was waited for
        next(batches)
    start, memory = time.perf_counter(), []
    for number, _ in enumerate(batches):
        if number == 0:
            memory = [private_mib(child.pid) for child in multiprocessing.active_children()]
    return args.load / (time.perf_counter() - start), statistics.mean(memory or [0.]), first


def time_loading(folder: Path, args: argparse.Namespace) -> str:
    """The second table."""
    measured = {workers: [] for workers in args.workers}
    for _ in range(args.repeats):
        for workers, of in measured.items():
            of.append(load(folder, workers, args))
    lines = []
    for workers, of in measured.items():
        rate, memory, first = (statistics.median(figures) for figures in zip(*of, strict=True))
        lines.append((workers, f'{rate:.1f}', f'{memory:.0f}' if workers else '-', f'{first:.2f}'))
    return table(('workers', 'samples / s', 'MiB per worker', 'seconds to first batch'), lines)


def main() -> None:
    args_parser = parser(__doc__, repeats=3, cpu_only='samples are')
    args_parser.add_argument('--folder', type=Path, help='videos of your own')
    args_parser.add_argument('--made', nargs='*', choices=KINDS, default=list(KINDS), help='videos that are made')
    args_parser.add_argument('--decoders', nargs='+', default=['opencv'], help='decoders of ours beside the floor\'s')
    args_parser.add_argument('--samples', type=int, default=5, help='different ones of each video')
    args_parser.add_argument('--size', type=int, default=224, help='pixels of a clip')
    args_parser.add_argument('--seconds', type=float, default=10., help='of the made videos')
    args_parser.add_argument('--height', type=int, help='of the made videos, pixels; 256, of XVID 240')
    args_parser.add_argument('--workers', type=int, nargs='*', default=[0, 1, 2])
    args_parser.add_argument('--batch', type=int, default=4, help='samples of the loader at once')
    args_parser.add_argument('--load', type=int, default=64, help='samples that the loader is timed over')
    args = args_parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        paths = [make_video(Path(folder), name, args.seconds, args.height) for name in args.made]
        tables = [time_loading(Path(folder), args)] if args.workers else []
        if args.folder:
            found = sorted(path for path in args.folder.rglob('*.*') if path.suffix in ('.mp4', '.mkv', '.webm'))
            if not found:
                args_parser.error(f'--folder {args.folder} holds no .mp4, .mkv, .webm or .avi file')
            paths += found
        tables[:0] = [time_samples(path, args) for path in paths]
    publish('\n\n'.join(tables), args)


if __name__ == '__main__':
    main()
