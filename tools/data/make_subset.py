"""Write a part of a list with the same share of every class, for semi-supervised training.

    python tools/data/make_subset.py data/kinetics400/kinetics400_train_list_videos.txt \
        data/kinetics400/kinetics400_train_1pct_list_videos.txt --share .01

Of n videos of a class, round(share x n) are kept, one at least. Which ones depends on the seed and on the names of the
files alone: their order in the list, their folders and their endings do not matter, and a copy of the data set that
lacks a few videos gives the same subset but for a few. A smaller share with the same seed is a part of a larger one.
Videos are kept in the order of the list, in lines 'path label ...' whatever separated its columns.
"""

import argparse
import hashlib
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from iboot_mm.datasets.list_file import list_line
from iboot_mm.datasets.listing import parse_list
from iboot_mm.interruption import one_line_when_stopped
from iboot_mm.stores.atomic_files import AtomicLocalBackend


def rank(path: str, seed: int) -> tuple[str, str]:
    """A number for a video that looks random and is the same on every machine."""
    name = PurePosixPath(path).stem
    return hashlib.sha256(f'{seed} {name}'.encode()).hexdigest(), path


def choose(videos: Sequence[tuple[str, int]], share: float, seed: int) -> list[int]:
    """Which of the videos to keep.

    Args:
        videos: ``(path, class)`` of each line.
        share: Share of every class, in (0, 1].
        seed: Another seed gives another subset.

    Returns:
        Ascending indices into ``videos``.
    """
    classes = defaultdict(list)
    for index, (_, label) in enumerate(videos):
        classes[label].append(index)
    kept = []
    for members in classes.values():
        count = max(1, int(share * len(members) + .5))
        kept += sorted(members, key=lambda index: rank(videos[index][0], seed))[:count]
    return sorted(kept)


def make(ann_file: Path, out: Path, share: float, seed: int = 0, labels: Sequence[str] | None = None,
         by: str | None = None) -> str:
    """Write the subset, whole or not at all, and say in one line what it holds.

    Raises:
        FileNotFoundError: If there is no such list.
        ValueError: If the list has no labels, no label called ``by``, or the share is none.
    """
    if not 0 < share <= 1:
        raise ValueError(f'--share {share} is none: give a number above 0, up to 1 (.01 is 1 %).')
    entries = parse_list(str(ann_file), labels)
    if out.exists() and out.samefile(ann_file):
        raise ValueError(f'{out} is the list itself: name another file for the subset.')
    names = list(entries[0][1])
    by = by or (names[0] if names else '')
    if by not in names:
        raise ValueError(f'{ann_file} has no label {by}: it has {", ".join(names)}.' if names else
                         f"{ann_file} has no labels: a share of every class needs lines 'path label'.")
    kept = choose([(path, values[by]) for path, values in entries], share, seed)
    lines = [list_line(entries[i][0], entries[i][1].values()) for i in kept]
    AtomicLocalBackend().put_text('\n'.join(lines) + '\n', out)
    sizes = defaultdict(int)
    for i in kept:
        sizes[entries[i][1][by]] += 1
    return (f'{out}: {len(kept)} of {len(entries)} videos ({len(kept) / len(entries):.2%}), {len(sizes)} classes of '
            f'{min(sizes.values())} to {max(sizes.values())} videos, seed {seed}.')


@one_line_when_stopped(goes_on=False)
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('list', type=Path, help="lines 'path label'")
    parser.add_argument('out', type=Path)
    parser.add_argument('--share', type=float, required=True, help='share of every class, such as .01')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--labels', nargs='+', help='names of the label columns, if the list has several')
    parser.add_argument('--by', help='the one of them that the classes are taken from (default: the first)')
    args = parser.parse_args()
    try:
        print(make(args.list, args.out, args.share, args.seed, args.labels, args.by))
    except (OSError, ValueError) as error:
        sys.exit(f'make_subset: {error}')


if __name__ == '__main__':
    main()
