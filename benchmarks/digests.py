"""What it costs to compare a file of weights with the digest in it, beside reading it.

    python benchmarks/digests.py [--megabytes 400] [--rounds 5]

Prints a row for each format: reading as torch or safetensors do it, the comparison, and their ratio; medians of rounds
that take turns, from a warm cache.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from safetensors.torch import load_file

from iboot_mm.compat.archives import check_archive
from iboot_mm.weights.digests import check_digest, save_with_digest


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--megabytes', type=int, default=400)
    parser.add_argument('--rounds', type=int, default=5)
    args = parser.parse_args()
    state = {f'layer{i}.weight': torch.randn(250_000) for i in range(args.megabytes)}
    with tempfile.TemporaryDirectory() as folder:
        archive, plain = Path(folder) / 'a.pth', Path(folder) / 'a.safetensors'
        torch.save(dict(state_dict=state), archive)
        save_with_digest(state, plain)
        rows = {'.pth, CRC-32': (lambda: torch.load(archive, weights_only=True), lambda: check_archive(archive)),
                '.safetensors, SHA-256': (lambda: sum(value.sum() for value in load_file(plain).values()),
                                          lambda: check_digest(plain))}
        print('| file | reading, ms per 100 MB | comparing, ms per 100 MB | ratio |\n|---|---|---|---|')
        for name, calls in rows.items():
            times = [[seconds(call) for call in calls] for _ in range(args.rounds)]
            read, compare = (median(column) * 1e5 / args.megabytes for column in zip(*times))
            print(f'| {name} | {read:.0f} | {compare:.0f} | {compare / read:.2f} |')


if __name__ == '__main__':
    main()
