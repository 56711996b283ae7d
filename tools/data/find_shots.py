"""Find the shots of every video below a folder, or in its tar shards, and write the list that `ShotFolder` reads.

    python tools/data/find_shots.py data/my_videos

A shot begins where the colours of two neighbouring frames differ by more than --threshold, and where black frames begin
or end. ROOT/shots.jsonl has one line per video, see iboot_mm/datasets/shots/shots.py. For videos that training samples
at 1 Hz, as VIVI's were, --fps 1 looks at the same frames; they differ more than neighbours do, so choose a higher
--threshold.

Can be stopped and called again: what is known stays, and videos that are new, have another size or could not be read
are looked at. With --truth, a list of true shots (tools/data/compose_shots.py writes one), precision and recall of the
cuts are printed.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import av
import cv2

from iboot_mm.datasets import UnreadableVideo
from iboot_mm.datasets.listing import VIDEO_EXTENSIONS
from iboot_mm.datasets.parallel import run_jobs, show_progress
from iboot_mm.datasets.shards import without_shard
from iboot_mm.datasets.shots.shots import count_matches, read_shots, write_shots
from iboot_mm.datasets.sources import source_exists, stat_source
from iboot_mm.datasets.video_lists import videos_of_folder
from iboot_mm.interruption import one_line_when_stopped


def look(root: Path, settings: dict, name: str) -> dict:
    """The entry of one video, by its path below the root."""
    from iboot_mm.datasets.shots.detection import find_shots
    cv2.setNumThreads(0)  # the videos fill the cores
    path = str(root / name)
    entry = dict(file=os.path.relpath(without_shard(path), root), size=size_of(path))
    try:
        return entry | find_shots(path, settings['threshold'], settings['min_length'], settings['fps'])
    except UnreadableVideo as error:
        return entry | dict(error=error.reason)
    except av.FFmpegError as error:
        return entry | dict(error=error.strerror)


def size_of(path: str) -> int:
    """Bytes of a video; 0 of a link that leads nowhere."""
    return stat_source(path).size if source_exists(path) else 0


def known_entries(file: Path, settings: dict) -> dict[str, dict]:
    """What a list, whole or in the making, says already.

    Raises:
        ValueError: If its shots were found in another way.
    """
    if not file.is_file() or not file.stat().st_size:
        return {}
    made_with, entries = read_shots(file)
    if made_with != settings:
        raise ValueError(f"'{file}' was made with {made_with}, not {settings}: name another --out, or delete it.")
    return entries


def find(root: Path, out: Path, settings: dict, workers: int | None = None) -> tuple[list[dict], int]:
    """Write the list; its entries, and how many of them were there.

    Raises:
        FileNotFoundError: If there is no video.
        IsADirectoryError: If ``out`` is a folder.
        ValueError: If ``out`` holds shots that were found in another way or of other videos alone, or a setting is out
            of range.
    """
    clock = settings['fps']
    if not 0 < settings['threshold'] <= 1 or settings['min_length'] < 1 or (clock is not None and clock <= 0):
        raise ValueError('--threshold must be in (0, 1], --min-length at least 1 and --fps above 0, got '
                         f'{settings["threshold"]}, {settings["min_length"]} and {clock}.')
    if out.is_dir():
        raise IsADirectoryError(f"--out '{out}' is a folder: name a file, such as '{out / 'shots.jsonl'}'.")
    paths = [video['filename'] for video in videos_of_folder(str(root), VIDEO_EXTENSIONS, None)]
    names = {Path(without_shard(path)).relative_to(root).as_posix(): path for path in paths}
    out.parent.mkdir(parents=True, exist_ok=True)
    log = out.with_name(f'{out.name}.partial')
    if log.is_file():
        content = log.read_bytes()
        log.write_bytes(content[:content.rfind(b'\n') + 1])  # the last line may be cut off
    entries = known_entries(out, settings) | known_entries(log, settings)
    if entries and entries.keys().isdisjoint(names):  # it would be overwritten
        raise ValueError(f"'{out}' is of other videos, '{next(iter(entries))}' for example, none of which is below "
                         f"'{root}': name another --out, or delete it.")
    left = [name for name in names if name not in entries or 'error' in entries[name]
            or entries[name].get('size') != size_of(names[name])]
    with open(log, 'a', encoding='utf-8') as lines:
        lines.write('' if lines.tell() else json.dumps(settings) + '\n')
        places = [os.path.relpath(names[name], root) for name in left]
        jobs = run_jobs(partial(look, root, settings), places, workers)
        for entry in show_progress(jobs, len(left), 'videos'):
            lines.write(json.dumps(entry) + '\n')
            lines.flush()
            entries[entry['file']] = entry
    write_shots(out, settings, [entries[name] for name in names])
    log.unlink()
    return [entries[name] for name in names], len(names) - len(left)


def summarise(entries: Sequence[dict]) -> str:
    """Counts of videos and shots."""
    readable = [entry for entry in entries if 'error' not in entry]
    black = [len(entry.get('black', [])) for entry in readable]
    shown = [len(entry['starts']) - dark for entry, dark in zip(readable, black)]
    kinds = Counter('wholly black' if not count else 'of one' if count == 1 else 'of 2 or 3' if count < 4 else
                    'of 4 shots or more' for count in shown)
    kinds['unreadable'] = len(entries) - len(readable)
    order = ('of 4 shots or more', 'of 2 or 3', 'of one', 'wholly black', 'unreadable')
    return (f'{len(entries)} videos, {sum(shown)} shots and {sum(black)} black ones; '
            + ', '.join(f'{kind}: {kinds[kind]}' for kind in order))


def score(entries: Sequence[dict], truth: Path, tolerance: int) -> str:
    """Precision and recall of the cuts of the videos that both lists know.

    Raises:
        ValueError: If there are none.
    """
    _, true = read_shots(truth)
    pairs = [(entry['starts'][1:], true[entry['file']]['starts'][1:]) for entry in entries
             if 'error' not in entry and 'error' not in true.get(entry['file'], {'error': ''})]
    if not pairs:
        raise ValueError(f"'{truth}' knows none of the videos, whose shots were found below another folder.")
    found, real = (sum(len(pair[side]) for pair in pairs) for side in (0, 1))
    matched = sum(count_matches(*pair, tolerance) for pair in pairs)
    return (f'{len(pairs)} videos: precision {matched / found if found else float("nan"):.4f} ({matched} of {found} '
            f'cuts found), recall {matched / real if real else float("nan"):.4f} (of {real} true ones), '
            f'tolerance {tolerance} frames')


@one_line_when_stopped()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', type=Path)
    parser.add_argument('--out', type=Path, help='the list (default: ROOT/shots.jsonl, where ShotFolder looks for it)')
    parser.add_argument('--threshold', type=float, default=.1,
                        help='in (0, 1]; lower finds more cuts (default: .1)')
    parser.add_argument('--min-length', type=int, default=1,
                        help='no cut so few frames after another (default 1: ShotFolder leaves short shots out)')
    parser.add_argument('--fps', type=float, help='look at so many frames a second (default: at all)')
    parser.add_argument('--truth', type=Path, help='list of true shots to compare with')
    parser.add_argument('--tolerance', type=int, default=0, help='frames by which a cut may miss the true one')
    parser.add_argument('--workers', type=int, help='processes (default: all cores)')
    args = parser.parse_args()
    root = args.root.expanduser()
    out = args.out or root / 'shots.jsonl'
    try:
        import scenedetect  # noqa: F401
    except ImportError:
        sys.exit('find_shots: the shots are found by PySceneDetect: pip install -e .[shots]')
    try:
        settings = dict(threshold=args.threshold, min_length=args.min_length, fps=args.fps)
        entries, there = find(root, out, settings, args.workers)
        for entry in entries:
            if 'error' in entry:
                print(f'Unreadable video: {root / entry["file"]}: {entry["error"]}')
        print(f'{out}: {summarise(entries)}; known before: {there}')
        if args.truth:
            print(score(entries, args.truth, args.tolerance))
    except (OSError, ValueError) as error:
        sys.exit(f'find_shots: {error}')


if __name__ == '__main__':
    main()
