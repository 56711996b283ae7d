"""Samples per second from files and from tar shards, on one core.

    python benchmarks/shards.py [--videos 200]

Both rows make the training samples of configs/mini/iboot_r18_folder.py (3 views, cropped and packed) from copies of one
video, H.264, 30 frames of 340 x 256 pixels: files in a folder, and the same files packed by tools/data/pack_shards.py,
64 in a shard. The files are in the system's page cache, so what is measured is what a shard costs to read, not what it
saves a disk.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from plain_decoding import make_video
from side_by_side import interleaved, parser, publish, table

import iboot_mm  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
IN_A_SHARD = 64


def build(root: Path):
    """The training data set of the config on a folder, of files or of shards."""
    config = Config.fromfile(ROOT / 'configs/mini/iboot_r18_folder.py').train_dataloader.dataset.to_dict()
    return DATASETS.build(config | dict(root=str(root)))


def main() -> None:
    sys.path.append(str(ROOT / 'tools/data'))
    from pack_shards import pack
    arguments = parser(__doc__, repeats=5, cpu_only='samples are')
    arguments.add_argument('--videos', type=int, default=200, help='samples of each measurement')
    args = arguments.parse_args()
    torch.set_num_threads(1)
    init_default_scope('mmaction')
    with tempfile.TemporaryDirectory() as place:
        files, shards = Path(place) / 'files', Path(place) / 'shards'
        files.mkdir()
        made = make_video(Path(place), 'sparse_light', seconds=1., height=256)
        for number in range(args.videos):
            shutil.copy(made, files / f'{number:05d}.mp4')
        pack(files, shards, shard_bytes=IN_A_SHARD * made.stat().st_size, workers=1)
        datasets = {'files': build(files), 'shards': build(shards)}
        order = torch.randperm(args.videos, generator=torch.Generator().manual_seed(0)).tolist()
        seconds = interleaved({name: lambda dataset=dataset: [dataset[index] for index in order]
                               for name, dataset in datasets.items()}, args.repeats)
    lines = [(name, f'{args.videos / taken:.1f}', f"{seconds['files'] / taken:.2f}") for name, taken in seconds.items()]
    publish(table(('row', 'samples a second', 'times as fast'), lines), args)


if __name__ == '__main__':
    main()
