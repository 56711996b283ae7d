"""Time and peak memory of k-NN at the size of Kinetics-400, on generated features.

    python benchmarks/knn_memory.py --memory 1 [--gallery 240000 --queries 20000 --width 2048]

Writes a feature store of that size to --folder (2.2 GB at the default size; used again by the next call, delete it
afterwards) and scores it as `tools/test.py configs/downstream/knn_k400.py` does, with --memory GiB to work in. The peak
is that of the whole process, with the libraries, the list of videos and what the system keeps of the files it reads.
"""

import argparse
import time
from pathlib import Path

import torch
from mmaction.registry import METRICS
from mmengine.evaluator import Evaluator

from iboot_mm.engine.feature_loop import judge
from iboot_mm.engine.hooks.training_plan import peak_memory_gib
from iboot_mm.evaluation import FeatureStore

CLASSES = 400
CPU = torch.device('cpu')  # the memory of the process, wherever the search runs


def write_store(folder: Path, role: str, count: int, width: int, shard_size: int = 4096) -> FeatureStore:
    """Features around random centres of 400 classes; what is there already is kept."""
    store = FeatureStore(folder, dict(generated=role, videos=count, width=width), shard_size)
    centres = torch.randn(CLASSES, width, generator=torch.Generator().manual_seed(0))
    there = store.stored()
    for start in range(0, count, shard_size):
        if start not in there:
            indices = range(start, min(start + shard_size, count))
            generator = torch.Generator().manual_seed(2 * start + (role == 'query'))
            noise = torch.randn(len(indices), width, generator=generator)
            store.append([dict(index=i, filename=f'{role}/{i}.mp4', role=role, labels=dict(label=i % CLASSES),
                               view_features=(centres[i % CLASSES] + 6 * noise[i - start])[None]) for i in indices])
            store.flush()
    return store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--memory', type=float, default=4., help='GiB to work in, as KNNMetric takes it')
    parser.add_argument('--device', default='auto', help="'auto', 'cpu', 'cuda', ...")
    parser.add_argument('--gallery', type=int, default=240_000)
    parser.add_argument('--queries', type=int, default=20_000)
    parser.add_argument('--width', type=int, default=2048)
    parser.add_argument('--folder', type=Path, default=Path('work_dirs/knn_memory'))
    args = parser.parse_args()
    print(f'{args.gallery} x {args.width} gallery, {args.queries} queries, memory={args.memory:g}, '
          f'{torch.get_num_threads()} threads; libraries: {peak_memory_gib(CPU):.2f} GiB', flush=True)
    start = time.monotonic()
    stores = [write_store(args.folder / f'{role}_{count}x{args.width}', role, count, args.width)
              for role, count in (('gallery', args.gallery), ('query', args.queries))]
    print(f'store written: {time.monotonic() - start:.0f} s, peak so far {peak_memory_gib(CPU):.2f} GiB', flush=True)
    start = time.monotonic()
    metric = METRICS.build(dict(type='KNNMetric', k=20, memory=args.memory, device=args.device))
    figures = judge(Evaluator(metric), (sample for store in stores for sample in store.samples()))
    print(f'k-NN: {time.monotonic() - start:.0f} s, peak {peak_memory_gib(CPU):.2f} GiB, '
          f"top-1 {figures['knn_top1']:.4f}")


if __name__ == '__main__':
    main()
