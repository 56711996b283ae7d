"""Pack videos into tar shards of WebDataset's layout, of which a network disk holds a million videos at ease.

    python tools/data/pack_shards.py data/k400 /shared/k400_shards --list data/k400/train.txt

OUT/shard-000000.tar and so on hold the videos under their paths below ROOT, unchanged, each with its label: `.cls`, or
`.json` where --labels names the list's columns. `VideoFolder(root=OUT)` reads them as it reads the folder: what is
stored of the videos (features, targets, token maps, shots) stays valid. OUT/shards.arrow says where each video lies.

What is left out is listed in OUT/left_out.txt: files that are not there, are empty or are named twice. Can be stopped
and called again: shards that are there stay.
"""

import argparse
import io
import json
import os
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from iboot_mm.datasets.listing import VIDEO_EXTENSIONS, parse_list, scan_folder
from iboot_mm.datasets.parallel import run_jobs, show_progress
from iboot_mm.datasets.shards import read_index
from iboot_mm.interruption import one_line_when_stopped
from iboot_mm.stores.atomic_files import AtomicLocalBackend, PART
from iboot_mm.stores.identity import digest_lines


@dataclass(frozen=True)
class Video:
    """A video to pack.

    Attributes:
        path: Its file.
        name: That of the member.
        size: Bytes.
        labels: By name.
        key: The name of its label file without the ending.
    """

    path: str
    name: str
    size: int
    labels: dict[str, int]
    key: str


def find_videos(root: Path, ann_file: Path | None, label_names: Sequence[str] | None) -> tuple[list[Video], list[str]]:
    """The videos of a list, or below a folder, and what is left out of them, with the reason.

    Raises:
        FileNotFoundError: If there is no such folder or list, or no video.
        ValueError: For a bad list, or one whose paths lead out of ``root``.
    """
    if ann_file is None:
        entries = [(os.path.relpath(path, root), {}) for path in scan_folder(str(root), VIDEO_EXTENSIONS)]
    else:
        entries = parse_list(str(ann_file), label_names)
    entries = [(os.path.normpath(path).replace(os.sep, '/'), labels) for path, labels in entries]
    stems = Counter(os.path.splitext(name)[0] for name in dict(entries))
    videos, left_out, taken = [], [], set()
    for name, labels in entries:
        if os.path.isabs(name) or name.startswith('../'):
            raise ValueError(f"'{name}' does not lie below '{root}': set root to a folder that holds all videos.")
        path, stem = os.path.join(root, name), os.path.splitext(name)[0]
        if reason := 'it was named before' if name in taken else why_not(path):
            left_out.append(f'{name}: {reason}')
        else:
            videos.append(Video(path, name, os.path.getsize(path), labels, stem if stems[stem] == 1 else name))
        taken.add(name)
    if not videos:
        raise FileNotFoundError(f"None of the {len(entries)} videos of '{ann_file or root}' can be packed, the first: "
                                f'{left_out[0]}: set root to the folder that the paths are relative to.')
    return videos, left_out


def why_not(path: str) -> str:
    """Why a file is not packed; empty if it is."""
    if not os.path.isfile(path):
        return 'it is a folder' if os.path.isdir(path) else 'there is no such file'
    if os.path.basename(path).startswith('.'):
        return 'it is hidden'
    return '' if os.path.getsize(path) else 'the file is empty (0 bytes)'


def split(videos: Sequence[Video], shard_bytes: int) -> Iterator[list[Video]]:
    """The videos of each shard, in their order: a shard ends before it would grow larger."""
    shard, size = [], 0
    for video in videos:
        if shard and size + video.size > shard_bytes:
            yield shard
            shard, size = [], 0
        shard.append(video)
        size += video.size
    if shard:
        yield shard


def write_shard(out: Path, job: tuple[int, list[Video]]) -> int:
    """Write one shard, whole or not at all; the number of its videos."""
    number, videos = job
    path = shard_path(out, number)
    own = path.with_name(path.name + PART)
    try:
        with tarfile.open(own, 'w', format=tarfile.PAX_FORMAT) as tar:
            for video in videos:
                info = tarfile.TarInfo(video.name)  # owner and rights stay behind; by the time, token maps are compared
                info.mtime, info.size = os.path.getmtime(video.path), video.size
                with open(video.path, 'rb') as file:
                    tar.addfile(info, file)
                if video.labels:
                    _add_labels(tar, video)
        os.replace(own, path)
    finally:
        own.unlink(missing_ok=True)
    return len(videos)


def _add_labels(tar: tarfile.TarFile, video: Video) -> None:
    unnamed = list(video.labels) == ['label']
    content = str(video.labels['label']) if unnamed else json.dumps(video.labels)
    info = tarfile.TarInfo(video.key + ('.cls' if unnamed else '.json'))
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content.encode()))


def pack(root: Path, out: Path, ann_file: Path | None = None, label_names: Sequence[str] | None = None,
         shard_bytes: int = 2**30, workers: int | None = None) -> str:
    """Pack the videos and write the index; what was done, for people.

    Raises:
        FileNotFoundError: If there is no video to pack.
        ValueError: For a bad list, or if ``out`` holds other shards.
        OSError: If ``out`` cannot be written, or a file changes on the way.
    """
    if shard_bytes < 1:
        raise ValueError(f'--shard-mb must be above 0, got {shard_bytes / 2**20:g}.')
    videos, left_out = find_videos(root, ann_file, label_names)
    _claim(out, dict(shard_bytes=shard_bytes, videos=digest_lines(f'{v.name} {v.size} {v.labels}\n' for v in videos)))
    jobs = [(number, shard) for number, shard in enumerate(split(videos, shard_bytes))]
    left = [job for job in jobs if not shard_path(out, job[0]).exists()]
    for _ in show_progress(run_jobs(partial(write_shard, out), left, workers), len(left), 'shards'):
        pass
    AtomicLocalBackend().put_text(''.join(f'{line}\n' for line in left_out), out / 'left_out.txt')
    found = len(read_index(str(out)).table)
    if found != len(videos):
        raise ValueError(f"The shards in '{out}' hold {found} videos instead of {len(videos)}: other tar files lie "
                         'there; name another folder.')
    return (f'{out}: {len(videos)} videos in {len(jobs)} shards, {len(jobs) - len(left)} of which were there; '
            f'{len(left_out)} left out' + (f", see {out / 'left_out.txt'}" if left_out else ''))


def shard_path(out: Path, number: int) -> Path:
    """The file of a shard."""
    return out / f'shard-{number:06d}.tar'


def _claim(out: Path, plan: dict) -> None:
    file = out / 'packed.json'
    if file.is_file() and json.loads(file.read_text()) != plan:
        raise ValueError(f"'{out}' holds shards of other videos, labels or sizes: name another folder, or delete it.")
    AtomicLocalBackend().put_text(json.dumps(plan), file)


@one_line_when_stopped()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', type=Path, help='folder of the videos')
    parser.add_argument('out', type=Path, help='folder of the shards')
    parser.add_argument('--list', type=Path, help="lines 'path label', paths below ROOT (default: all videos there)")
    parser.add_argument('--labels', nargs='+', help="names of the list's columns of labels")
    parser.add_argument('--shard-mb', type=float, default=1024., help='MiB of videos in a shard (default: 1024)')
    parser.add_argument('--workers', type=int, help='processes (default: all cores)')
    args = parser.parse_args()
    if args.labels and not args.list:
        parser.error('--labels are those of a --list')
    try:
        print(pack(args.root.expanduser(), args.out.expanduser(), args.list, args.labels, round(args.shard_mb * 2**20),
                   args.workers))
    except (OSError, ValueError) as error:
        sys.exit(f'pack_shards: {error}')


if __name__ == '__main__':
    main()
