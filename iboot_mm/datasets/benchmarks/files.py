"""The video files of a benchmark: finding, linking and checking them."""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ..decoders import UnreadableVideo, open_video
from ..listing import VIDEO_EXTENSIONS, scan_folder
from ..parallel import run_jobs, show_progress


def index_videos(root: Path, key: Callable[[Path], str],
                 extensions: Sequence[str] = VIDEO_EXTENSIONS) -> dict[str, Path]:
    """Every video below a folder by its `key`.

    Of files with one key, a replacement of a corrupted file (the CVDF's `replacement` folder) goes first, then a file
    before a link, then the first in the order of paths.

    Raises:
        FileNotFoundError: If there is no such folder or no video in it.
    """
    index: dict[str, Path] = {}
    for path in map(Path, scan_folder(str(root), extensions)):
        name = key(path)
        if name not in index or _preference(path, root) < _preference(index[name], root):
            index[name] = path
    return index


def _preference(path: Path, root: Path) -> tuple[bool, bool]:
    folders = path.relative_to(root).parts[:-1]
    return not any(folder.startswith('replacement') for folder in folders), path.is_symlink()


def link(source: Path, target: Path) -> None:
    """Make `target` a link to `source`; nothing is copied.

    Raises:
        FileExistsError: If `target` is another file already.
    """
    source = Path(os.path.abspath(source))
    if target.is_symlink():
        if os.readlink(target) == str(source):
            return
    elif target.exists():
        if target.samefile(source):
            return
        raise FileExistsError(f"'{target}' is another file than '{source}': name the folder of only one of them as "
                              'root, or another --out.')
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f'{target.name}.partial')
    partial.unlink(missing_ok=True)
    partial.symlink_to(source)
    os.replace(partial, target)


def check_video(path: Path) -> tuple[Path, dict]:
    """Open a video and decode its first, middle and last frame.

    Returns:
        tuple[Path, dict]: The path, and `reason` why it cannot be read (empty if it can), whether it is `truncated`,
        `size` and `mtime_ns` of the file.
    """
    status = path.stat()
    result = dict(reason='', truncated=False, size=status.st_size, mtime_ns=status.st_mtime_ns)
    try:
        with open_video(str(path), 'frames' if path.is_dir() else 'pyav') as video:
            video.read(sorted({0, video.num_frames // 2, video.num_frames - 1}))
            result.update(truncated=getattr(video, 'truncated', False))
    except UnreadableVideo as error:
        result.update(reason=error.reason)
    return path, result


def check_videos(paths: Iterable[Path], log: Path, workers: int | None = None) -> dict[Path, dict]:
    """Check many videos in parallel.

    Each result is written to `log` (a JSON object a line) as it comes, so that a stopped check goes on where it was;
    files that have changed since are checked again.

    Args:
        paths (Iterable[Path]): Files below the folder of `log`.
        log (Path): The file of results.
        workers (int, optional): Processes; as many as there are cores by default.

    Returns:
        dict: What `check_video` says of each path.
    """
    known = _read_log(log)
    results, left = {}, []
    for path in paths:
        result, status = known.get(path.relative_to(log.parent).as_posix()), path.stat()
        if result and (result['size'], result['mtime_ns']) == (status.st_size, status.st_mtime_ns):
            results[path] = result
        else:
            left.append(path)
    with open(log, 'a', encoding='utf-8') as lines:
        lines.write('\n' if known else '')  # the last line may be cut off
        for path, result in show_progress(run_jobs(check_video, left, workers), len(left), 'videos checked'):
            lines.write(json.dumps(dict(file=path.relative_to(log.parent).as_posix(), **result)) + '\n')
            lines.flush()
            results[path] = result
    return results


def _read_log(log: Path) -> dict[str, dict]:
    known = {}
    for line in log.read_text(encoding='utf-8').splitlines() if log.is_file() else ():
        try:
            result = json.loads(line)
            known[result['file']] = result
        except ValueError:  # a line that was cut off when the process was stopped
            continue
    return known
