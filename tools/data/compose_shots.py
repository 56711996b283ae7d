"""Write videos of several shots, composed of the clips of a list, with their true shot list.

    python tools/data/compose_shots.py data/moving_digits/train.txt data/digit_shots --labels digit motion --by digit \
        --shots 4 --frames 10 20 --videos 1000

All clips of a video have one label; neighbouring shots come from different clips, of each a random run of frames, cut
hard from one to the next. Frames are cropped to their central square and scaled. OUT holds `videos`, a list `list.txt`
(`path label`) and `true_shots.jsonl`, in the format of tools/data/find_shots.py; `ShotFolder` reads them.

A video is a function of the seed and its number. Can be stopped and called again: each video is there whole or not at
all, and those that are there stay.
"""

import argparse
import hashlib
import json
import os
import sys
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path

import numpy as np

from iboot_mm.stores.atomic_files import AtomicLocalBackend
from iboot_mm.datasets import UnreadableVideo, open_video
from iboot_mm.datasets.listing import VIDEO_EXTENSIONS, read_list
from iboot_mm.datasets.parallel import run_jobs, show_progress
from iboot_mm.datasets.shots.shots import write_shots
from iboot_mm.datasets.transforms.cropping import cut_out, even_crops
from iboot_mm.interruption import one_line_when_stopped
from make_moving_digits import FPS, write_video


def draw_shots(clips: list[str], num_shots: int, lengths: tuple[int, int],
               rng: np.random.Generator) -> list[tuple[str, int, int]]:
    """Clip, first frame and number of frames of each shot; a clip that is too short is taken whole."""
    shots, last = [], -1
    for _ in range(num_shots):
        last = int(rng.choice([index for index in range(len(clips)) if index != last]))
        with open_video(clips[last]) as video:
            length = min(int(rng.integers(lengths[0], lengths[1] + 1)), video.num_frames)
            shots.append((clips[last], int(rng.integers(video.num_frames - length + 1)), length))
    return shots


def read_shot(clip: str, start: int, length: int, size: int) -> np.ndarray:
    """uint8 ``(length, size, size, 3)``."""
    with open_video(clip) as video:
        frames = video.read(range(start, start + length))
    crop = even_crops(*frames.shape[1:3], size, size, 1)[0]
    return np.stack([cut_out(frame, crop, size) for frame in frames])


def compose(out: Path, num_shots: int, lengths: tuple[int, int], size: int, seed: int,
            job: tuple[int, list[str]]) -> tuple[str, dict]:
    """Write one video unless it is there.

    Args:
        out: Folder of the data set.
        num_shots: K.
        lengths: The fewest and the most frames of a shot.
        size: Side of the square, pixels.
        seed: Of all draws, together with the number of the video.
        job: That number, and the clips to choose from.

    Returns:
        What was done ('written' or 'there') and the video's entry of the shot list.
    """
    number, clips = job
    shots = draw_shots(clips, num_shots, lengths, np.random.default_rng([seed, number]))
    ends = np.cumsum([length for _, _, length in shots]).tolist()
    entry = dict(file=file_name(number), frames=ends[-1], fps=float(FPS), starts=[0, *ends[:-1]])
    target = out / entry['file']
    if target.exists():
        return 'there', entry
    hidden = target.with_name(f'.{target.name}')  # FFmpeg goes by the ending; no folder is searched for hidden files
    write_video(np.concatenate([read_shot(*shot, size) for shot in shots]), hidden)
    os.replace(hidden, target)
    return 'written', entry


def file_name(number: int) -> str:
    """Where a video lies below the folder of the data set."""
    return f'videos/{number:06d}.mp4'


def plan(entries: list[tuple[str, dict]], by: str | None, num_videos: int) -> tuple[list[int], list[tuple]]:
    """The label of each video, all equally often but for one video, and the jobs.

    Raises:
        ValueError: If the list has no such label, or a label too few clips.
    """
    names = list(entries[0][1]) or ['label']
    by = by or names[0]
    if by not in names:
        raise ValueError(f'The list has no label {by}: it has {", ".join(names)}.')
    clips = defaultdict(list)
    for path, labels in entries:
        clips[labels.get(by, 0)].append(path)
    single = [label for label, paths in clips.items() if len(paths) < 2]
    if single:
        raise ValueError(f'Only one clip has {by} {single[0]}: neighbouring shots need two different clips.')
    kinds = sorted(clips)
    labels = [kinds[number % len(kinds)] for number in range(num_videos)]
    return labels, [(number, clips[label]) for number, label in enumerate(labels)]


def digest_list(entries: list[tuple[str, dict]], root: Path) -> str:
    """SHA-256 of a list's lines: another list of the same name makes other videos."""
    lines = [(os.path.relpath(path, root), labels) for path, labels in entries]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()


def make(ann_file: Path, out: Path, root: Path | None = None, labels: list[str] | None = None, by: str | None = None,
         num_shots: int = 4, lengths: tuple[int, int] = (10, 20), num_videos: int = 100, size: int = 64,
         seed: int = 0, workers: int | None = None) -> Counter:
    """Write the data set; counts of videos 'written' and 'there'.

    Raises:
        FileNotFoundError: If the list or its files are not there.
        ValueError: For a list or numbers that give no videos, or if ``out`` holds others.
        UnreadableVideo: If a clip cannot be read.
    """
    if num_shots < 1 or num_videos < 1 or not 1 <= lengths[0] <= lengths[1]:
        raise ValueError('--shots, --videos and --frames must be at least 1 and --frames not fall, got '
                         f'{num_shots}, {num_videos} and {lengths[0]} {lengths[1]}.')
    if size < 2 or size % 2:
        raise ValueError(f'--size {size} is none: H.264 wants an even number of pixels.')
    root = root or ann_file.parent
    entries = read_list(str(ann_file), str(root), labels, VIDEO_EXTENSIONS)
    kinds, jobs = plan(entries, by, num_videos)
    settings = dict(list=ann_file.name, by=by, shots=num_shots, frames=list(lengths), size=size, seed=seed,
                    lines=digest_list(entries, root))
    file = out / 'composed.json'
    if file.is_file() and json.loads(file.read_text()) != settings:
        raise ValueError(f"'{out}' was made with {json.loads(file.read_text())}, not {settings}: name another folder, "
                         'or delete it.')
    (out / 'videos').mkdir(parents=True, exist_ok=True)
    AtomicLocalBackend().put_text(json.dumps(settings) + '\n', file)
    work = partial(compose, out, num_shots, lengths, size, seed)
    counts, truth = Counter(), []
    for outcome, entry in show_progress(run_jobs(work, jobs, workers), len(jobs), 'videos'):
        counts[outcome] += 1
        truth.append(entry)
    write_shots(out / 'true_shots.jsonl', dict(placed_by='compose_shots.py'), truth)
    lines = [f'{file_name(number)} {kind}\n' for number, kind in enumerate(kinds)]
    AtomicLocalBackend().put_text(''.join(lines), out / 'list.txt')
    return counts


@one_line_when_stopped()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('list', type=Path, help="lines 'path [label ...]'")
    parser.add_argument('out', type=Path)
    parser.add_argument('--root', type=Path, help='folder of the clips (default: that of the list)')
    parser.add_argument('--labels', nargs='+', help='names of the label columns, if the list has several')
    parser.add_argument('--by', help='the label that all shots of a video share (default: the first)')
    parser.add_argument('--shots', type=int, default=4, help='of each video')
    parser.add_argument('--frames', type=int, nargs=2, default=(10, 20), metavar=('FEWEST', 'MOST'),
                        help='of each shot')
    parser.add_argument('--videos', type=int, default=100)
    parser.add_argument('--size', type=int, default=64, help='side of the frames, pixels')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--workers', type=int, help='processes (default: all cores)')
    args = parser.parse_args()
    try:
        counts = make(args.list, args.out, args.root, args.labels, args.by, args.shots, tuple(args.frames),
                      args.videos, args.size, args.seed, args.workers)
    except (OSError, ValueError, UnreadableVideo) as error:
        sys.exit(f'compose_shots: {error}')
    print(f'{args.out}: {counts["written"]} videos written, {counts["there"]} were there')


if __name__ == '__main__':
    main()
