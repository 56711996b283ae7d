"""Memory and time to the first batch for long lists, on 8 ranks with 8 workers each.

    python benchmarks/long_lists.py [--lines 1000000 2000000 10000000] [--ranks 8 --workers 8]

Each rank is a process that builds the data set, the sampler and the loader of a training and takes 20 batches of 4; of
a video, only its path and its labels are made, nothing is decoded. The clock starts when all ranks are there, forked
from a process that has imported the libraries, and stops when the last one has its first batch: the first time, the
list is read and its table is written; after that, the table is there. The seconds of 1,000 lines are those of starting.

Memory is the sum of the proportional set sizes (PSS, /proc/PID/smaps_rollup) of all ranks and workers, in which a page
that several share counts once, the pages of the table included: at the end, and the greatest of the sums taken each
second on the way. What the same processes take with a list of 1,000 lines is subtracted. The row of dictionaries is one
process alone that reads the shortest list as short ones are read.

`ShotFolder` reads a shot list of as many videos besides, of two shots each.
"""

import argparse
import multiprocessing
import os
import tempfile
import threading
import time
from pathlib import Path

import torch
from mmaction.registry import DATASETS
from mmengine.dataset import pseudo_collate
from side_by_side import parser, publish, table
from torch.utils.data import DataLoader

from iboot_mm.datasets import VideoFolder, long_lists
from iboot_mm.engine.samplers import EpochSampler

SHORT = 1000  # lines, of the list that is as good as none
BATCH, BATCHES = 4, 20
LABELS = 400
LONGEST = 500  # seconds that ranks wait for each other


class NoVideo:
    """The end of a pipeline that opens no video."""

    def __call__(self, results: dict) -> dict:
        return dict(inputs=results['sample_idx'], data_samples=(results['filename'], results['labels']))


def write_lists(folder: Path, lines: int) -> None:
    """A list and its shot list; the first video exists."""
    names = (f'class_{i % LABELS:03d}/video_{i:09d}_abc.mp4' for i in range(lines))
    with open(folder / 'list.txt', 'w') as videos, open(folder / 'shots.jsonl', 'w') as shots:
        for number, name in enumerate(names):
            videos.write(f'{name} {number % LABELS}\n')
            shots.write(f'{{"file": "{name}", "size": 100000, "frames": 240, "fps": 24.0, "starts": [0, 120]}}\n')
    (folder / 'class_000').mkdir()
    (folder / 'class_000/video_000000000_abc.mp4').touch()


def run_rank(kind: str, folder: str, rank: int, args: argparse.Namespace, barrier) -> None:
    """One rank; it waits for the others at its start, behind its first batch, its last and the look at the memory."""
    barrier.wait()
    dataset = DATASETS.build(dict(type=kind, root=folder, ann_file='list.txt', pipeline=[NoVideo()],
                                  _scope_='mmaction'))
    sampler = EpochSampler(dataset, multiple_of=args.ranks * BATCH, seed=0)
    sampler.rank, sampler.world_size = rank, args.ranks  # as a process group would say
    batches = iter(DataLoader(dataset, batch_size=BATCH, sampler=sampler, num_workers=args.workers,
                              collate_fn=pseudo_collate))
    next(batches)
    barrier.wait()
    for _ in range(BATCHES - 1):
        next(batches)
    barrier.wait()
    barrier.wait()


def pss(pids: set[int]) -> float:
    """GiB that processes and their children have together."""
    total, parents = 0, {}
    for entry in Path('/proc').iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int((entry / 'stat').read_text().rpartition(')')[2].split()[1])
            except OSError:
                continue  # it has ended
    for pid in [pid for pid, parent in parents.items() if pid in pids or parent in pids]:
        try:
            lines = Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in lines if line.startswith('Pss:'))
    return total / 2**20


def start(kind: str, folder: Path, args: argparse.Namespace) -> tuple[float, float, float]:
    """Seconds to the first batch of the last rank, PSS at the end and the greatest on the way, GiB."""
    context = multiprocessing.get_context('fork')
    barrier = context.Barrier(args.ranks + 1, timeout=LONGEST)
    ranks = [context.Process(target=run_rank, args=(kind, str(folder), rank, args, barrier))
             for rank in range(args.ranks)]
    for rank in ranks:
        rank.start()
    pids, sums, done = {rank.pid for rank in ranks}, [], threading.Event()
    barrier.wait()
    begin = time.perf_counter()

    def watch() -> None:
        while not done.wait(1.):
            sums.append(pss(pids))

    watcher = threading.Thread(target=watch)
    watcher.start()
    barrier.wait()
    seconds = time.perf_counter() - begin
    barrier.wait()
    done.set()
    watcher.join()
    at_end = pss(pids)
    barrier.wait()
    for rank in ranks:
        rank.join()
    return seconds, at_end, max([*sums, at_end])


def run_dictionaries(folder: str) -> None:
    """A list as dictionaries in one process: seconds, GiB afterwards and at the peak, above that of starting up."""
    long_lists.LONG = float('inf')
    before = rss('VmRSS')
    begin = time.perf_counter()
    dataset = VideoFolder(folder, 'list.txt')
    dataset.get_data_info(0)
    figures = time.perf_counter() - begin, rss('VmRSS') - before, rss('VmHWM') - before
    Path(folder, 'figures.txt').write_text(' '.join(map(str, figures)))


def rss(key: str) -> float:
    """GiB of this process, 'VmRSS', or its peak, 'VmHWM'."""
    lines = Path('/proc/self/status').read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 2**20


def measure(args: argparse.Namespace, kinds=('VideoFolder', 'ShotFolder')) -> str:
    """The table of all sizes."""
    rows = []
    with tempfile.TemporaryDirectory() as place:
        os.environ['XDG_CACHE_HOME'] = f'{place}/cache'
        for lines in [SHORT, *sorted(args.lines)]:
            folder = Path(place) / str(lines)
            folder.mkdir()
            write_lists(folder, lines)
            if lines == SHORT:
                start(kinds[0], folder, args)  # pages that were never touched are shared by nobody yet
                seconds, at_end, peak = start(kinds[0], folder, args)
                rows.append((f'{lines:,}', f'{seconds:.1f}', '', f'{at_end:.2f}', f'{peak:.2f}'))
                continue
            if lines == min(args.lines):
                context = multiprocessing.get_context('fork')
                alone = context.Process(target=run_dictionaries, args=(str(folder),))
                alone.start()
                alone.join()
                seconds, after, peak = map(float, (folder / 'figures.txt').read_text().split())
                rows.append((f'{lines:,} dictionaries, one process', f'{seconds:.1f}', '', f'{after:.2f}',
                             f'{peak:.2f}'))
            for kind in kinds:
                first, then = start(kind, folder, args), start(kind, folder, args)
                rows.append((f'{lines:,} in {kind}', f'{first[0]:.1f}', f'{then[0]:.1f}', f'{then[1]:.2f}',
                             f'{first[2]:.2f}'))
            for file in folder.iterdir():
                if file.is_file():
                    file.unlink()
    header = ('lines', 's to the first batch', 'the next time', 'GiB then', 'at the peak of the first')
    return table(header, rows) + (f'\n\n{args.ranks} ranks with {args.workers} workers each; load average '
                                  f'{os.getloadavg()[0]:.0f}.')


def main() -> None:
    arguments = parser(__doc__, repeats=1, cpu_only='lists are')
    arguments.add_argument('--lines', type=int, nargs='+', default=[10**6, 2 * 10**6, 10**7])
    arguments.add_argument('--ranks', type=int, default=8)
    arguments.add_argument('--workers', type=int, default=8)
    args = arguments.parse_args()
    torch.set_num_threads(1)
    publish(measure(args), args)


if __name__ == '__main__':
    main()
