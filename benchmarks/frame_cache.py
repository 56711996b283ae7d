"""Time of a training sample of a small set with and without its decoded frames on the disk, on one core.

    python benchmarks/frame_cache.py [--config CONFIG] [--videos 300]

- decoded each time: the training data set of the config as it is.
- decoded and stored: with `OpenVideo(decoder='frame_cache')` and an empty folder: a video's first reading.
- stored: with that folder filled: all later readings.

Without --config: configs/mini/iboot_r18_folder.py on copies of a video made here, 30 frames of 132 x 100 pixels, H.264.
All rows make samples of the same videos.
"""

import copy
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from plain_decoding import make_video
from side_by_side import interleaved, parser, publish, table

import iboot_mm  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]


def build(config: dict, stored_in: Path | None = None):
    """The data set, its frames decoded or stored in a folder."""
    config = copy.deepcopy(config)
    if stored_in:
        next(step for step in config['pipeline'] if step['type'] == 'OpenVideo').update(
            decoder='frame_cache', folder=str(stored_in))
    return DATASETS.build(config)


def decoding_share(dataset, picked: Sequence[int]) -> float:
    """Share of a sample's time that opening and decoding its video takes."""
    spent, start = 0., time.perf_counter()
    for index in picked:
        sample = dataset.get_data_info(index)
        for transform in dataset.pipeline.transforms:
            before = time.perf_counter()
            sample = transform(sample)
            if type(transform).__name__ in ('OpenVideo', 'DecodeViews'):
                spent += time.perf_counter() - before
    return spent / (time.perf_counter() - start)


def measure(config: dict, args) -> str:
    """The table of one data set."""
    with tempfile.TemporaryDirectory() as folder:
        filling, filled = Path(folder) / 'filling', Path(folder) / 'filled'
        datasets = {'decoded each time': build(config), 'decoded and stored': build(config, filling),
                    'stored': build(config, filled)}
        count = len(datasets['stored'])
        picked = torch.randperm(count, generator=torch.Generator().manual_seed(0))[:args.videos].tolist()

        def read(name: str) -> None:
            if name == 'decoded and stored':
                shutil.rmtree(filling, ignore_errors=True)
            for index in picked:
                datasets[name][index]

        seconds = interleaved({name: lambda name=name: read(name) for name in datasets}, args.repeats)
        size = sum(entry.stat().st_size for entry in filled.iterdir()) / len(picked)
        share = decoding_share(datasets['decoded each time'], picked)
    lines = [(name, f'{1e3 * taken / len(picked):.2f}', f"{seconds['decoded each time'] / taken:.2f}")
             for name, taken in seconds.items()]
    return (table(('row', 'ms a sample', 'times as fast'), lines)
            + f'\n\nOpening and decoding: {share:.0%} of a sample that is decoded. Frames on the disk: '
              f'{size / 2**20:.2f} MiB a video, {size * count / 2**30:.2f} GiB for all {count}.')


def main() -> None:
    arguments = parser(__doc__, repeats=5, cpu_only='samples are')
    arguments.add_argument('--config', type=Path, help='a config with train_dataloader, whose videos are there')
    arguments.add_argument('--videos', type=int, default=300, help='samples of each measurement')
    args = arguments.parse_args()
    torch.set_num_threads(1)
    init_default_scope('mmaction')
    with tempfile.TemporaryDirectory() as folder:
        config = Config.fromfile(args.config or ROOT / 'configs/mini/iboot_r18_folder.py').train_dataloader.dataset
        if not args.config:
            made = make_video(Path(folder), 'sparse_light', seconds=1., height=100)
            for number in range(1, args.videos):
                shutil.copy(made, made.with_name(f'{number}.mp4'))
            config.root = folder
        publish(measure(config.to_dict(), args), args)


if __name__ == '__main__':
    main()
