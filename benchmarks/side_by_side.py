"""What the benchmarks share: rows measured in turn, in one run, and a table that carries the hardware's name."""

import argparse
import gc
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import torch

RESULTS = Path(__file__).resolve().parent / 'results'


def parser(description: str, repeats: int, cpu_only: str = '') -> argparse.ArgumentParser:
    """A parser with what all benchmarks understand: ``--device``, ``--repeats``, ``--save``.

    Args:
        description: The script's docstring.
        repeats: Measurements of each row by default.
        cpu_only: What is measured on a CPU, where a GPU is of no use; any other device is refused.
    """
    def device(name: str) -> str:
        if cpu_only and name != 'cpu':
            raise argparse.ArgumentTypeError(f'{cpu_only} measured on a CPU only: leave --device out')
        if name.startswith('cuda') and not torch.cuda.is_available():
            raise argparse.ArgumentTypeError('there is no GPU that torch can use: leave --device out')
        return name

    arguments = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument('--device', type=device,
                           default='cuda' if torch.cuda.is_available() and not cpu_only else 'cpu')
    arguments.add_argument('--repeats', type=int, default=repeats, help='measurements of each row, of which the median '
                                                                        'is printed')
    arguments.add_argument('--save', action='store_true', help='write the table to benchmarks/results/HARDWARE, too')
    return arguments


def interleaved(rows: dict[str, Callable[[], object]], repeats: int, device: str | torch.device = 'cpu',
                warmup: int = 1) -> dict[str, float]:
    """Median seconds of each row.

    All rows are measured once, then all once more, and so on: what disturbs the machine for a while disturbs all rows
    alike.

    Args:
        rows: What to measure, by name.
        repeats: Measurements of each row.
        device: Where the rows run: a GPU is waited for before the clock stops.
        warmup: Rounds that do not count.
    """
    seconds: dict[str, list[float]] = {name: [] for name in rows}
    gc.freeze()  # what is there already (the libraries) need not be looked through each time
    try:
        for turn in range(warmup + repeats):
            for name, row in rows.items():
                gc.collect()
                wait_for(device)
                start = time.perf_counter()
                row()
                wait_for(device)
                if turn >= warmup:
                    seconds[name].append(time.perf_counter() - start)
    finally:
        gc.unfreeze()
    return {name: statistics.median(measured) for name, measured in seconds.items()}


def figures_of(script: str | Path, *options: object) -> list[float]:
    """The figures in the last line that a script prints, run in a process of its own."""
    command = [sys.executable, str(script), *map(str, options)]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return list(map(float, out.splitlines()[-1].split()))


def wait_for(device: str | torch.device) -> None:
    """Returns when the device has done what it was asked for."""
    if torch.device(device).type == 'cuda':
        torch.cuda.synchronize(device)


def hardware(device: str | torch.device) -> str:
    """The device's name, such as 'NVIDIA H200' or 'AMD EPYC, 2 cores'."""
    if torch.device(device).type == 'cuda':
        return torch.cuda.get_device_name(device)
    described = Path('/proc/cpuinfo')
    found = re.search(r'^model name\s*: (.+)$', described.read_text(), re.M) if described.exists() else None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    return f'{found.group(1).strip() if found else platform.machine()}, {cores} cores'


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose source is aligned, too."""
    cells = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    # The first column holds names, the others numbers.
    aligned = [[cell.ljust(width) if place == 0 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))] for line in cells]
    rule = ['-' * widths[0], *('-' * (width - 1) + ':' for width in widths[1:])]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in (aligned[0], rule, *aligned[1:]))


def publish(text: str, args: argparse.Namespace) -> None:
    """Prints a result and, with ``--save``, writes it beside those of other hardware.

    Args:
        text: Tables and what they say of themselves, Markdown.
        args: Of :func:`parser`.
    """
    script = Path(sys.argv[0]).stem
    options = shlex.join(word for word in sys.argv[1:] if word != '--save')
    content = (f'`python benchmarks/{script}.py{" " * bool(options)}{options}`, {hardware(args.device)}, '
               f'torch {torch.__version__}, {torch.get_num_threads()} threads, {date.today()}\n\n{text}\n')
    print(content, end='', flush=True)
    if args.save:
        folder = RESULTS / re.sub(r'\W+', '_', hardware(args.device).lower()).strip('_')
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f'{script}.md').write_text(content)
