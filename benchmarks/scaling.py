"""What several processes cost: a step of one, of two, and of two that keep their gradients to themselves.

    python benchmarks/scaling.py [--method iboot --link 12.5 --compute-seconds 0.5]

Two processes of one thread each on a CPU (gloo), under ``DistributedPretrainer``; one process takes the same step alone
while the other waits. ``no exchange`` is the same step under ``no_sync``; what exchanging adds to it is set against the
all-reduces of the gradients alone, in DDP's buckets of 25 MB: what is not added was hidden behind the backward pass.
``copied gradients`` and ``static graph`` are DDP's options ``gradient_as_bucket_view=False`` and ``static_graph=True``.

On paper, for N GPUs: a ring all-reduce sends and receives 2 (N - 1) / N times the gradients' bytes per GPU
(Patarasuk and Yuan, 2009), at --link GB/s an ``exchange`` of so many seconds, latency left out. A step is at most
compute + exchange (nothing hidden) and at least the greater of the two (all hidden); efficiency is compute over that.
Compute is --compute-seconds, to be measured by step.py on such a GPU, or else this run's step of one CPU process.
"""

import argparse
import os
import socket
import sys

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from side_by_side import interleaved, parser, publish, table
from workload import METHODS, Workload, add_options, prepare

from iboot_mm.engine.model_wrapper import DistributedPretrainer

BUCKET = 25 * 2**20  # bytes, DDP's default
VARIANTS = {'exchange': {}, 'copied gradients': dict(gradient_as_bucket_view=False),
            'static graph': dict(static_graph=True)}


def all_reduce_alone(numbers: int) -> None:
    """The exchange of so many float32 gradients, bucket after bucket in flight as DDP has them."""
    buckets = torch.zeros(numbers).split(BUCKET // 4)
    for work in [dist.all_reduce(bucket, async_op=True) for bucket in buckets]:
        work.wait()


def measure(rank: int, processes: int, port: int, args: argparse.Namespace, results: mp.SimpleQueue) -> None:
    """Runs in each process; rank 0 puts the seconds of each row and the bytes of the gradients into ``results``."""
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    torch.set_num_threads(1)
    prepare(args)
    dist.init_process_group('gloo', rank=rank, world_size=processes)
    try:
        rows, numbers = rows_of(rank, processes, args)
        seconds = interleaved(rows, args.repeats, warmup=2)  # DDP orders its buckets in the first step
        if rank == 0:
            results.put((seconds, 4 * numbers))
        dist.barrier()
    finally:
        dist.destroy_process_group()


def rows_of(rank: int, processes: int, args: argparse.Namespace) -> tuple[dict, int]:
    """What each process measures, in the same order, and how many numbers a gradient has."""
    def alone(videos: int):
        workload = Workload(args.method, args, videos) if rank == 0 else None
        data = workload and workload.batch()
        return lambda: workload and workload.step(data)

    def together(workload: Workload, data: dict, exchange: bool = True) -> None:
        dist.barrier()
        if exchange:
            workload.step(data)
        else:
            with workload.network.no_sync():
                workload.step(data)

    rows = {'1 process': alone(args.videos), f'1 process, batch x {processes}': alone(processes * args.videos)}
    for name, options in VARIANTS.items():
        if name == 'static graph' and args.method in ('byol', 'moco'):
            continue  # several backward passes a step, of which the last exchanges
        workload = Workload(args.method, args, args.videos)
        workload.network = DistributedPretrainer(workload.model, **options)
        data = workload.batch()
        rows[f'{processes} processes, {name}'] = lambda w=workload, d=data: together(w, d)
        if not options:
            rows[f'{processes} processes, no exchange'] = lambda w=workload, d=data: together(w, d, exchange=False)
            numbers = sum(p.numel() for p in workload.model.parameters() if p.requires_grad)
    rows['all-reduce alone'] = lambda: (dist.barrier(), all_reduce_alone(numbers))
    return rows, numbers


def on_paper(compute: float, size: int, link: float, gpus: tuple[int, ...] = (8, 64)) -> list[tuple]:
    """Rows of the sheet: GPUs, bytes sent per GPU, and seconds; see the formula above.

    Args:
        compute: Seconds of a step on one GPU.
        size: Bytes of the gradients.
        link: GB/s that each GPU sends, and receives at the same time.
        gpus: N.
    """
    rows = []
    for number in gpus:
        sent = 2 * (number - 1) / number * size
        exchange = sent / (link * 1e9)
        rows.append((f'{number} GPUs', f'{sent / 1e6:.0f} MB', f'{exchange:.4f}',
                     f'{compute / (compute + exchange):.1%}', f'{compute / max(compute, exchange):.1%}'))
    return rows


def report(seconds: dict[str, float], size: int, args: argparse.Namespace) -> str:
    """The two tables and what they say."""
    first, processes = seconds['1 process'], args.processes
    both, kept = (seconds[f'{processes} processes, {name}'] for name in ('exchange', 'no exchange'))
    reduce, added = seconds['all-reduce alone'], both - kept
    sent = 2 * (processes - 1) / processes * size
    compute = args.compute_seconds or first
    measured = table(('row', 's', 'ratio'), [(n, f'{s:.3f}', f'{s / first:.2f}') for n, s in seconds.items()])
    paper = table(('on paper', 'sent a step', 'exchange, s', 'efficiency, nothing hidden', 'all hidden'),
                  on_paper(compute, size, args.link))
    return (f'{args.method}, {args.videos} videos of {args.frames} x {args.size} x {args.size} a process, '
            f'Slow R{args.depth}\n\n{measured}\n\n'
            f'Gradients {size / 1e6:.0f} MB, sent by each process {sent / 1e6:.0f} MB a step. Exchanging adds '
            f'{added:.3f} s, {added / both:.1%} of the step; alone it takes {reduce:.3f} s, of which '
            f'{max(0., 1 - added / reduce):.0%} are hidden behind the backward pass.\n\n{paper}\n\n'
            f'Compute {compute:.3f} s ({"given" if args.compute_seconds else "1 process, above"}), '
            f'link {args.link:g} GB/s (assumed).')


def main() -> None:
    arguments = parser(__doc__, repeats=5, cpu_only='processes are')
    add_options(arguments)
    arguments.add_argument('--method', choices=METHODS, default='iboot')
    arguments.add_argument('--videos', type=int, default=2, help='of each process')
    arguments.add_argument('--processes', type=int, default=2)
    arguments.add_argument('--link', type=float, default=12.5, help='GB/s of a GPU in each direction')
    arguments.add_argument('--compute-seconds', type=float, help='of a step on one GPU')
    args = arguments.parse_args()
    torch.set_num_threads(1)
    prepare(args)
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        port = sock.getsockname()[1]
    results = mp.get_context('spawn').SimpleQueue()
    mp.spawn(measure, (args.processes, port, args, results), args.processes)
    publish(report(*results.get(), args), args)


if __name__ == '__main__':
    sys.exit(main())
