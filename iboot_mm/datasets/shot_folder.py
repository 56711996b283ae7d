"""Videos of several shots."""

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmaction.registry import DATASETS
from mmengine.logging import print_log

from ..stores.tables import cached_path, shared_table
from .listing import locate
from .shards import without_shard
from .shots.columns import NOT_LISTED, NotPlain, select, shot_columns, told
from .shots.shots import iterate_shots, run_lengths, shot_ticks, usable_shots
from .transforms.shots import SampleShots
from .video_folder import VideoFolder
from .video_table import VideoTable

_NONE = np.empty((0, 2), np.int32)


@DATASETS.register_module()
class ShotFolder(VideoFolder):
    """The videos of a `VideoFolder` that have enough shots (VIVI, section 4).

    Its samples carry `shots` int32 (S, 2), first frame and the one after the last of each usable shot, and
    `shot_frames`, the frames that the video had when its shots were found. A black shot, or one of fewer than
    `min_length` frames, is no usable shot (our choice), and its neighbours are no consecutive ones. Videos without
    `num_shots` usable shots that adjoin are dropped, as in the paper those with fewer shots; one line of the log counts
    them.

    Args:
        root (str): Folder of the videos.
        shots (str): Their shot list, see `tools/data/find_shots.py`; a path from the working folder, else from `root`.
        num_shots (int): K, the fewest adjoining shots of a video; 2 or 4 in the paper.
        min_length (int): The fewest frames of a shot, counted at `target_fps`; 8 (exemplar) or 4 (rotation) in the
            paper.
        target_fps (float, optional): Clock in Hz; 1 in the paper. None: every frame.
        kwargs: Further arguments of `VideoFolder`.

    Raises:
        FileNotFoundError: If there is no such list.
        ValueError: For an argument out of range, if the list is of other videos or of another clock, no video has so
            many shots, or `SampleShots` of the pipeline asks for more.
    """

    def __init__(self, root: str, shots: str = 'shots.jsonl', num_shots: int = 2, min_length: int = 8,
                 target_fps: float | None = None, **kwargs: Any) -> None:
        if num_shots < 1 or min_length < 1 or (target_fps is not None and target_fps <= 0):
            raise ValueError('ShotFolder: num_shots and min_length must be at least 1 and target_fps above 0, got '
                             f'{num_shots}, {min_length} and {target_fps}.')
        self.shot_list = shots
        self.num_shots = num_shots
        self.min_length = min_length
        self.target_fps = target_fps
        super().__init__(root, **kwargs)
        self._check_pipeline()

    def load_data_list(self) -> Sequence[dict]:
        """One `dict(filename, labels, shots, shot_frames)` per video that has enough shots."""
        path = locate(self.shot_list, self.root)
        videos = super().load_data_list()
        if isinstance(videos, VideoTable):
            return self._of_table(videos, path)
        clock, found = None, {}
        for entry in iterate_shots(path):  # of which only the usable shots are kept in memory
            if 'file' in entry:
                found[entry['file']] = (*self._usable(entry), entry.get('frames'))
            else:
                clock = entry.get('fps')
        self._check_clock(path, clock)
        kept, fates, most = [], Counter(), 0
        for video in videos:
            name = os.path.relpath(without_shard(video['filename']), self.root).replace(os.sep, '/')
            shots, fate, together, frames = found.get(name, (_NONE, NOT_LISTED, 0, None))
            most = max(most, together)
            if together >= self.num_shots:
                kept.append(dict(video, shots=shots, shot_frames=frames))
            else:
                fates[fate] += 1
        self._tell(path, len(kept), fates, most, next(iter(found), ''))
        return kept

    def get_data_info(self, idx: int) -> dict:
        """One video with its `shots`, int32 (S, 2)."""
        info = super().get_data_info(idx)
        return dict(info, shots=np.asarray(info['shots'], dtype=np.int32).reshape(-1, 2))

    def _of_table(self, videos: VideoTable, path: str) -> VideoTable:
        """The same of a long list, as columns that all processes share."""
        settings = next(iterate_shots(path))
        self._check_clock(path, None if 'file' in settings else settings.get('fps'))
        about = os.stat(path)
        limits = [self.num_shots, self.min_length, self.target_fps]
        places, source = [], {}
        if videos.columns.path is not None:
            source = dict(shots=[about.st_size, about.st_mtime_ns], videos=os.stat(videos.columns.path).st_mtime_ns)
            places = [cached_path('adjoining_shots', str(videos.columns.path), os.path.realpath(path), limits)]
        try:
            columns = shared_table(places, source, lambda: select(videos, shot_columns(path, plain=True), *limits))
        except NotPlain:
            columns = shared_table(places, source, lambda: select(videos, shot_columns(path, plain=False), *limits))
        found = told(columns)
        self._tell(path, len(columns.table), Counter(found['fates']), found['most'], found['example'])
        return VideoTable(self.root, columns, videos.label_names, ('shots', 'shot_frames'))

    def _check_clock(self, path: str, clock: float | None) -> None:
        if clock and clock != self.target_fps:
            raise ValueError(f"The shots of '{path}' were found at {clock} Hz, but target_fps is {self.target_fps}: "
                             f'set target_fps={clock}, or find them anew.')

    def _tell(self, path: str, kept: int, fates: Counter, most: int, example: str) -> None:
        """Logs how many videos are kept and why others are not; raises if none is."""
        total = kept + fates.total()
        if fates[NOT_LISTED] == total:
            example = f", which names '{example}' for example" if example else ''
            raise ValueError(f"None of the videos of '{self.root}' is in the shot list '{path}'{example}: find the "
                             'shots of this root with tools/data/find_shots.py.')
        wanted = f'{self.num_shots} {"adjoining " * (self.num_shots > 1)}shots of {self.min_length} or more frames'
        dropped = ', '.join(f'{count} {fate}' for fate, count in sorted(fates.items())) or 'none'
        if not kept:
            raise ValueError(f"No video of '{self.root}' has {wanted}, the most is {most} ({dropped}): lower num_shots "
                             'or min_length, or find the shots anew with a lower --threshold.')
        print_log(f"'{self.root}': {kept} of {total} videos have {wanted}; dropped: {dropped}.", 'current')

    def _usable(self, entry: dict) -> tuple[np.ndarray, str, int]:
        """The usable shots of a video, what it is if they are too few, and how many adjoin at most."""
        if 'error' in entry:
            return _NONE, 'unreadable', 0
        shots = usable_shots(entry).astype(np.int32)
        if not len(shots):
            return _NONE, 'wholly black', 0
        if self.target_fps and not entry['fps']:
            return _NONE, 'of unknown frame rate', 0
        fate = 'with too few shots' if len(entry['starts']) > 1 else 'of one shot'
        step = entry['fps'] / self.target_fps if self.target_fps else 1.
        shots = shots[shot_ticks(shots, step)[1] >= self.min_length]
        together = run_lengths(shots)
        return shots[together >= self.num_shots], fate, int(together.max(initial=0))

    def _check_pipeline(self) -> None:
        for step in self.pipeline.transforms:
            if isinstance(step, SampleShots) and (step.num_shots > self.num_shots or step.shot_len > self.min_length
                                                  or step.target_fps != self.target_fps):
                raise ValueError(f'{step} draws from shots that ShotFolder(num_shots={self.num_shots}, min_length='
                                 f'{self.min_length}, target_fps={self.target_fps}) does not keep: give both the same '
                                 'num_shots, length and target_fps.')
