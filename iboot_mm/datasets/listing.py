"""Finding videos: in nested folders or in a list file."""

import os
from collections.abc import Collection, Sequence

from .decoders.frames import IMAGE_EXTENSIONS
from .list_file import ListFile
from .sources import source_exists

VIDEO_EXTENSIONS = ('.mp4', '.m4v', '.mov', '.qt', '.mkv', '.webm', '.avi', '.divx', '.mpg', '.mpeg', '.m2v', '.ts',
                    '.mts', '.m2ts', '.wmv', '.asf', '.flv', '.f4v', '.3gp', '.3g2', '.ogv', '.vob', '.dv', '.mxf',
                    '.nut', '.ivf', '.h264', '.hevc', '.y4m', '.gif', '.apng')
_CHECKED = 16  # paths of a list that are looked up when it is loaded
_NAMED = 3  # missing videos that an error names


def scan_folder(root: str, extensions: Sequence[str]) -> list[str]:
    """All videos below a folder, sorted, links followed, hidden files left out.

    Args:
        root (str): The folder.
        extensions (Sequence[str]): Endings of file names. With endings of pictures, every folder that directly holds
            such a file is one video.

    Raises:
        FileNotFoundError: If there is no such folder or no video in it.
    """
    if not os.path.isdir(root):
        raise FileNotFoundError(f"There is no folder '{root}': set `root` to the folder of your videos.")
    endings = tuple(extension.lower() for extension in extensions)
    found, seen = [], set()
    for folder, subfolders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link that leads back up would never end
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith('.'))
        names = [name for name in names if name.lower().endswith(endings) and not name.startswith('.')]
        pictures = [name for name in names if name.lower().endswith(IMAGE_EXTENSIONS)]
        found += [os.path.join(folder, name) for name in names if name not in pictures]
        found += [folder] if pictures else []
    if not found:
        raise FileNotFoundError(f"The folder '{root}' holds no video ({', '.join(extensions)}): put some there or "
                                'below, or name other `extensions`.')
    return sorted(found)


def read_list(ann_file: str, root: str, label_names: Sequence[str] | None,
              extensions: Sequence[str]) -> list[tuple[str, dict[str, int]]]:
    """`(path, labels)` for each line of a list, the paths joined to `root`; see `parse_list`.

    Whether the files are there is found out when they are read, since looking up hundreds of thousands of paths takes
    minutes on a network disk; only if none of a few exists, the list and `root` cannot belong together.

    Raises:
        FileNotFoundError: If there is no such list, or none of its files is below `root`.
        ValueError: For an empty list or a line with a bad label.
    """
    entries = [(os.path.join(root, name), labels) for name, labels in parse_list(ann_file, label_names, extensions)]
    if not any(source_exists(path) for path, _ in a_few(entries)):
        raise none_exists(ann_file, entries[0][0])
    return entries


def a_few(entries: Sequence) -> Sequence:
    """Of a list those, evenly spaced, that are looked up when it is loaded."""
    return entries[::max(1, len(entries) // _CHECKED)]


def none_exists(ann_file: str, example: str) -> FileNotFoundError:
    """What to raise where nothing of a list is there."""
    return FileNotFoundError(f"None of the files of '{ann_file}' that were looked up exists, for example '{example}': "
                             'set `root` to the folder that its paths are relative to.')


def check_files(paths: Sequence[str], ann_file: str, advice: str) -> None:
    """Looks for all files of a list, by reading each folder once: a look at each file of ImageNet would take long.

    Args:
        paths (Sequence[str]): The files.
        ann_file (str): The list, for the message.
        advice (str): What to do about those that are missing, for the message.

    Raises:
        FileNotFoundError: If any is missing.
    """
    places = [os.path.split(path) for path in paths]
    there = {folder: _names_in(folder or os.curdir) for folder in dict(places)}
    missing = [path for path, (folder, name) in zip(paths, places) if name not in there[folder]]
    if missing:
        raise FileNotFoundError(f"{len(missing)} of {len(paths)} files of '{ann_file}' are missing, the first is "
                                f"'{missing[0]}': {advice}")


def _names_in(folder: str) -> set[str]:
    return set(os.listdir(folder)) if os.path.isdir(folder) else set()


def parse_list(ann_file: str, label_names: Sequence[str] | None = None,
               extensions: Sequence[str] = VIDEO_EXTENSIONS) -> list[tuple[str, dict[str, int]]]:
    """`(path, labels)` of each video of a list, the path as it stands there; see `ListFile`.

    Raises:
        FileNotFoundError: If there is no such list.
        ValueError: For an empty list, one of another form or a line with a bad label.
    """
    return list(ListFile(ann_file, label_names, extensions))


def locate(name: str, root: str) -> str:
    """A file by its path from the working folder, else from `root`."""
    below_root = os.path.join(root, name)
    return below_root if not os.path.isfile(name) and os.path.isfile(below_root) else name


def index_named_videos(root: str, names: Collection[str], ann_file: str) -> dict[str, str]:
    """The video of each name right in a folder: a file of that name and any ending, or a folder of frames.

    Raises:
        FileNotFoundError: If there is no such folder, or any is missing.
    """
    if not os.path.isdir(root):
        raise FileNotFoundError(f"There is no folder '{root}': set `root` to the folder of the videos.")
    there = {}
    for entry in os.scandir(root):
        stem, ending = os.path.splitext(entry.name)
        if ending.lower() in VIDEO_EXTENSIONS or entry.is_dir():
            there[stem if ending.lower() in VIDEO_EXTENSIONS else entry.name] = entry.path
    missing = sorted(set(names) - set(there))
    if missing:
        raise FileNotFoundError(f"{len(missing)} of {len(set(names))} videos of '{ann_file}' are not in '{root}', such "
                                f'as {", ".join(missing[:_NAMED])}: tools/data/prepare.py writes the annotations of '
                                'those that are there.')
    return there
