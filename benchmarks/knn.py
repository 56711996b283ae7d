"""Time and peak memory of k-NN at the size of Kinetics-400, on generated features, beside faiss.

    python benchmarks/knn.py [--gallery 240000 --queries 20000 --width 2048]

- stored, M GiB: all that `tools/test.py configs/downstream/knn_k400.py` does behind the network: `KNNMetric` with M GiB
  to work in, on a feature store. It is written to --folder (2.2 GB at the default size; used again by the next call,
  delete it afterwards).
- in memory: `nearest_neighbors` with 4 GiB on the same features as a matrix.
- faiss flat: `IndexFlatIP` on that matrix, normalised in place, faiss's own copy and the search. Left out where faiss
  (`pip install faiss-cpu`) is not installed.

Each row is a process of its own. The memory is its peak above that of starting up: with the matrix where there is one,
and with what the system keeps of the store's files, which it drops when others need the room. With --device cuda ours
search there; the memory is still the process's.
"""

import argparse
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from side_by_side import parser, publish, table
from torch import Tensor

CLASSES, K, SHARD = 400, 20, 4096


def features(role: str, start: int, count: int, width: int) -> Tensor:
    """Rows ``(count, width)`` from ``start`` on, around random centres of the classes."""
    centres = torch.randn(CLASSES, width, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(count, width, generator=torch.Generator().manual_seed(2 * start + (role == 'query')))
    return centres[labels(start, count)] + 6 * noise


def labels(start: int, count: int) -> Tensor:
    """Classes ``(count,)`` of the rows from ``start`` on."""
    return torch.arange(start, start + count) % CLASSES


def shards(count: int) -> list[tuple[int, int]]:
    """First row and number of rows of each part."""
    return [(start, min(SHARD, count - start)) for start in range(0, count, SHARD)]


def matrix(role: str, count: int, width: int) -> Tensor:
    """All rows ``(count, width)``."""
    whole = torch.empty(count, width)
    for start, rows in shards(count):
        whole[start:start + rows] = features(role, start, rows, width)
    return whole


def store(role: str, count: int, args: argparse.Namespace):
    """The same rows on the disk; what is there already is kept."""
    from iboot_mm.stores.features import FeatureStore

    written = FeatureStore(args.folder / f'{role}_{count}x{args.width}',
                           dict(generated=role, videos=count, width=args.width), SHARD)
    there = written.stored()
    for start, rows in shards(count):
        if start not in there:
            written.append([dict(index=i, filename=f'{role}/{i}.mp4', role=role, labels=dict(label=i % CLASSES),
                                 view_features=row[None])
                            for i, row in enumerate(features(role, start, rows, args.width), start)])
            written.flush()
    return written


def search(row: str, args: argparse.Namespace) -> dict:
    """Seconds, peak memory in GiB and what was found, of this process."""
    import iboot_mm  # noqa: F401
    from iboot_mm.engine.hooks.training_plan import peak_memory_gib
    if row == 'faiss flat':
        import faiss
        faiss.omp_set_num_threads(torch.get_num_threads())
    before, found = peak_memory_gib(torch.device('cpu')), {}
    if row.startswith('stored'):
        from mmaction.registry import METRICS
        from mmengine.evaluator import Evaluator

        from iboot_mm.engine.feature_loop import judge
        stores = [store('gallery', args.gallery, args), store('query', args.queries, args)]
        metric = METRICS.build(dict(type='KNNMetric', k=K, memory=args.memory[0], device=args.device))
        start = time.perf_counter()
        found['top1'] = judge(Evaluator(metric), (s for part in stores for s in part.samples()))['knn_top1']
    else:
        gallery, queries = matrix('gallery', args.gallery, args.width), matrix('query', args.queries, args.width)
        start = time.perf_counter()
        if row == 'in memory':
            from iboot_mm.evaluation import nearest_neighbors
            found['cosines'], found['indices'] = nearest_neighbors(queries, gallery, K, device=args.device)
        else:
            for rows in (gallery, queries):
                faiss.normalize_L2(rows.numpy())
            index = faiss.IndexFlatIP(args.width)
            index.add(gallery.numpy())
            found['cosines'], found['indices'] = map(torch.from_numpy, index.search(queries.numpy(), K))
    seconds = time.perf_counter() - start
    return dict(seconds=seconds, gib=peak_memory_gib(torch.device('cpu')) - before, **found)


def agreement(ours: dict, faiss: dict) -> str:
    """How many queries have the same neighbours and the same vote."""
    sets = [found['indices'].sort(dim=1).values for found in (ours, faiss)]
    same = (sets[0] == sets[1]).all(1).double().mean()
    return (f'The same {K} neighbours in memory and by faiss: {same:.4%} of the queries; the same vote: '
            f"{(ours['votes'] == faiss['votes']).double().mean():.4%}.")


def vote(found: dict, args: argparse.Namespace) -> None:
    """Adds the classes that the neighbours vote for and how many are right."""
    from iboot_mm.evaluation import weighted_vote

    scores = weighted_vote(found['cosines'], labels(0, args.gallery)[found['indices']], CLASSES)
    found['votes'] = scores.argmax(1)
    found['top1'] = (found['votes'] == labels(0, args.queries)).double().mean().item()


def in_own_process(row: str, memory: float, args: argparse.Namespace) -> dict:
    """What :func:`search` gives there."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / 'found.pt'
        same = [f'--{name}={getattr(args, name)}' for name in ('gallery', 'queries', 'width', 'folder', 'device')]
        subprocess.run([sys.executable, __file__, '--one', row, str(out), f'--memory={memory}', *same], check=True)
        return torch.load(out)


def main() -> None:
    arguments = parser(__doc__, repeats=1)
    arguments.add_argument('--memory', type=float, nargs='+', default=[1., 4.], help='GiB of the stored rows')
    arguments.add_argument('--gallery', type=int, default=240_000)
    arguments.add_argument('--queries', type=int, default=20_000)
    arguments.add_argument('--width', type=int, default=2048)
    arguments.add_argument('--folder', type=Path, default=Path('work_dirs/knn'))
    arguments.add_argument('--one', nargs=2, metavar=('ROW', 'FILE'), help='measure this row in this process')
    args = arguments.parse_args()
    if args.one:
        torch.save(search(args.one[0], args), args.one[1])
        return
    for role, count in (('gallery', args.gallery), ('query', args.queries)):
        store(role, count, args)
    rows = {f'stored, {memory:g} GiB': memory for memory in args.memory} | {'in memory': 4.}
    if importlib.util.find_spec('faiss'):
        rows['faiss flat'] = 0.
    results: dict[str, list[dict]] = {row: [] for row in rows}
    for _ in range(args.repeats):
        for row, memory in rows.items():
            results[row].append(in_own_process(row, memory, args))
            if 'indices' in results[row][-1]:
                vote(results[row][-1], args)
    seconds = {row: statistics.median(one['seconds'] for one in found) for row, found in results.items()}
    lines = [(row, f'{seconds[row]:.2f}', f"{seconds[row] / seconds['in memory']:.2f}",
              f"{max(one['gib'] for one in found):.2f}", f"{found[-1]['top1']:.4f}") for row, found in results.items()]
    last = (agreement(results['in memory'][-1], results['faiss flat'][-1]) if 'faiss flat' in rows else
            'faiss is not installed: its row is left out.')
    publish(f'{args.queries} queries in a gallery of {args.gallery}, width {args.width}, k = {K}.\n\n'
            + table(('row', 's', '/ in memory', 'GiB', 'top-1'), lines) + f'\n\n{last}', args)


if __name__ == '__main__':
    main()
