"""Time and peak memory of one training step of the four methods by rho, and of rho-BYOL in one backward pass.

    python benchmarks/rho_steps.py [--depth 50 --size 112 --videos 2 --rho 2 3 4 --device cpu]

The step is that of step.py. Ratios are to the same method at the first rho. The memory is the peak of a process of its
own, its libraries not counted (on a GPU: what torch allocated).
"""

import argparse
import functools
import sys

from mmengine.model import BaseModel
from side_by_side import interleaved, parser, publish, table
from workload import Workload, add_options, own_process, peak_and_losses, prepare

ONE_PASS = 'byol_one_pass'
ROWS = ('byol', ONE_PASS, 'moco', 'simclr', 'swav')


def build(row: str, rho: int, args: argparse.Namespace) -> Workload:
    """The workload of a row."""
    workload = Workload('byol' if row == ONE_PASS else row, args, args.videos, rho)
    if row == ONE_PASS:
        workload.model.train_step = functools.partial(BaseModel.train_step, workload.model)
    return workload


def by_rho(row: str, args: argparse.Namespace) -> list[tuple]:
    """Rows of the table, one for each rho."""
    workloads = {rho: build(row, rho, args) for rho in args.rho}
    steps = {rho: functools.partial(workload.step, workload.batch()) for rho, workload in workloads.items()}
    seconds = interleaved(steps, args.repeats, args.device)
    memory = {rho: own_process(args, '--one', row, '--rho', rho, '--videos', args.videos)[0] for rho in args.rho}
    first = args.rho[0]
    return [(row, rho, f'{seconds[rho]:.2f}', f'{seconds[rho] / seconds[first]:.2f}', f'{memory[rho]:.2f}',
             f'{memory[rho] / memory[first]:.2f}') for rho in args.rho]


def main() -> None:
    arguments = parser(__doc__, repeats=3)
    add_options(arguments)
    arguments.add_argument('--methods', nargs='+', choices=ROWS, default=ROWS)
    arguments.add_argument('--rho', type=int, nargs='+', default=[2, 3, 4])
    arguments.add_argument('--videos', type=int, default=2)
    arguments.add_argument('--one', choices=ROWS, help='print the memory of this row at the first rho')
    args = arguments.parse_args()
    prepare(args)
    if args.one:
        print(peak_and_losses(lambda: build(args.one, args.rho[0], args), steps=2)[0])
        return
    rows = [row for name in args.methods for row in by_rho(name, args)]
    publish(f'Slow R{args.depth}, {args.videos} videos, {args.frames} x {args.size} x {args.size}\n\n' +
            table(('method', 'rho', 's / step', 'ratio', 'GiB', 'ratio'), rows), args)


if __name__ == '__main__':
    sys.exit(main())
