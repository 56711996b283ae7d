"""Token maps of videos on the disk: what frozen image models see in every frame, computed once."""

import io
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import numpy as np
from pydantic import JsonValue
from torch import Tensor

from ..stores.arrays import array_header
from ..stores.atomic_files import AtomicLocalBackend
from ..stores.plain_data import read_json
from .decoders import UnreadableVideo, open_video
from .shards import without_shard
from .sources import source_exists, stat_source

SAMPLED = 100  # videos whose frames are counted to tell the size of all


class TokenStore:
    """A folder of token maps, one file a video, whatever the list that names the video.

    - ``store.json``: what the maps are of: image models, crops, frames.
    - ``videos/<path below the root>.npy``: float16 ``(F, h, w, D)``, F frames.
    - ``videos/<path below the root>.unreadable``: why there are none of that video, as long as there are none.

    A file is there whole or not at all, so a stopped run goes on with what is missing.

    Args:
        folder: The folder; made when it is not there.
        about: What the maps are of, JSON values by name. None opens a store whatever it holds.

    Raises:
        FileNotFoundError: without ``about``, if there is no store in the folder.
        ValueError: if the folder holds maps of something else.
    """

    def __init__(self, folder: str | Path, about: dict | None = None) -> None:
        self.folder = Path(folder)
        file = self.folder / 'store.json'
        if about is None and not file.is_file():
            raise FileNotFoundError(f"There are no token maps in '{folder}': write them with "
                                    'tools/data/cache_tokens.py and the config that reads them')
        if not file.is_file():
            own = file.with_name(f'{file.name}.{uuid4().hex}')  # several processes may start on one folder at once
            AtomicLocalBackend().put_text(json.dumps(about, indent=1), own)
            os.replace(own, file)
        self.about = read_json(file, dict[str, JsonValue], 'name another folder, or remove this one')
        if about is not None:
            check(self.folder, self.about, json.loads(json.dumps(about)))

    def has(self, name: str, video: str | Path | None = None) -> bool:
        """Whether there are maps of a video; given its file, and if that is still there, maps no older than it."""
        maps = self._file(name)
        changed = stat_source(str(video)).changed if video is not None and source_exists(str(video)) else 0
        return maps.is_file() and (isinstance(changed, str) or maps.stat().st_mtime_ns >= changed)

    def put(self, name: str, maps: Tensor) -> None:
        """Writes the maps ``(F, D, h, w)`` of one video.

        Raises:
            ValueError: float16 cannot hold one of them.
        """
        rounded = maps.permute(0, 2, 3, 1).cpu().half().numpy()
        if not np.isfinite(rounded).all():
            raise ValueError(f"a token of '{name}' is not within float16's {np.finfo(np.float16).max:.0f}: this image "
                             "model's cannot be stored, so train on the videos (OpenVideo in place of OpenTokens)")
        content = io.BytesIO()
        np.save(content, np.ascontiguousarray(rounded))
        AtomicLocalBackend().put(content.getvalue(), self._file(name))
        self._file(name, '.unreadable').unlink(missing_ok=True)

    def put_unreadable(self, name: str, reason: str) -> None:
        """Notes why a video has no maps; those of a file that was there before go."""
        AtomicLocalBackend().put_text(reason, self._file(name, '.unreadable'))
        self._file(name).unlink(missing_ok=True)

    def open(self, name: str) -> np.ndarray:
        """The maps ``(F, h, w, D)`` of one video, on the disk.

        Raises:
            UnreadableVideo: it could not be read when the maps were written.
            ValueError: the store has not been written for this video, or its file is damaged.
        """
        file = self._file(name)
        try:
            shape, dtype, _ = array_header(file, 'remove it and run tools/data/cache_tokens.py again')
            if len(shape) != 4 or dtype != np.float16:
                raise ValueError(f"'{file}' holds {dtype} of shape {shape}, not token maps: remove it and run "
                                 'tools/data/cache_tokens.py again')
            return np.load(file, mmap_mode='r')
        except FileNotFoundError:
            note = self._file(name, '.unreadable')
            if note.is_file():
                raise UnreadableVideo(name, f"{note.read_text()}, when '{self.folder}' was written (run tools/data/"
                                      'cache_tokens.py again when it is mended)') from None
            raise ValueError(f"'{self.folder}' has no token maps of '{name}': write them with "
                             'tools/data/cache_tokens.py, which goes on with what is missing') from None

    def _file(self, name: str, ending: str = '.npy') -> Path:
        return self.folder / 'videos' / (name + ending)


def check(folder: Path, there: dict, here: dict) -> None:
    """Compares what a store holds with what is asked of it, over the keys of the latter.

    Raises:
        ValueError: names what differs.
    """
    for key, value in here.items():
        if there.get(key) != value:
            raise ValueError(f"'{folder}' holds token maps of something else: {key} is {there.get(key)!r} there and "
                             f'{value!r} here; remove it, or name another folder')


def name_below(root: str, path: str) -> str:
    """The name of a video in a store: the same one for a file and for its copy in a shard.

    Raises:
        ValueError: it does not lie below the root.
    """
    name = os.path.relpath(without_shard(path), root)
    if name.split(os.sep)[0] == os.pardir or os.path.isabs(name):
        raise ValueError(f"'{path}' does not lie below '{root}': set `root` of OpenTokens to the data set's")
    return name


def estimate_size(files: Sequence[str], frame_bytes: int, every: int) -> int:
    """Bytes that the maps of videos will take, told from the frames of some of them, evenly spaced."""
    frames = []
    for file in files[::-(-len(files) // SAMPLED) or 1]:
        try:
            with open_video(file) as video:
                frames.append(-(-video.num_frames // every))
        except (OSError, UnreadableVideo):
            continue
    return round(sum(frames) / max(len(frames), 1) * len(files)) * frame_bytes


def check_room(folder: str | Path, size: int) -> int:
    """Free bytes of the disk on which a folder is, or will be.

    Raises:
        OSError: they are fewer than ``size``.
    """
    folder = Path(folder).absolute()
    free = shutil.disk_usage(next(part for part in (folder, *folder.parents) if part.exists())).free
    if size > free:
        raise OSError(f"'{folder}' has room for {free / 1e9:.1f} GB, but the token maps take {size / 1e9:.1f} GB: "
                      'choose another folder, a lower `resolution`, or every second frame (`every=2`)')
    return free
