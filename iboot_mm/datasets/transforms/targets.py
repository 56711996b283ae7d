"""What the teacher makes of a video, read from the disk."""

import os

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...stores.features import FeatureStore
from ..decoders import UnreadableVideo
from ..shards import without_shard
from .randomness import TARGET_TAG, view_rng


@TRANSFORMS.register_module()
class LoadTargets(BaseTransform):
    """Take one of the K reference clips that `TargetLoop` has encoded of each video, for `CachedIBoot`.

    Which one is a function of the seed of view 0. A video that could not be read when the targets were written counts
    as unreadable now: `VideoFolder` puts another one in its place, and `UnreadableVideosHook` counts it.

    Required keys: `filename`, `view_seeds`, `video_idx` (of `VideoFolder`), hence after `SampleViews` and before
    `PackViews`. Added key: `target`, NumPy (D,), in the precision of the store.

    Args:
        store (str): Folder of the targets.

    Raises:
        FileNotFoundError: There are no targets in the folder.
        ValueError: They are not whole, or of another list of videos.
        UnreadableVideo: See above.
    """

    def __init__(self, store: str) -> None:
        self.store = store
        self._table: TargetTable | None = None

    @property
    def table(self) -> 'TargetTable':
        """The targets, opened when they are first asked for; processes forked after that share what it knows."""
        if self._table is None:
            self._table = TargetTable(self.store)
        return self._table

    def transform(self, results: dict) -> dict:
        """See the class."""
        clips = self.table.clips(results['video_idx'], str(results['filename']))
        clip = view_rng(results['view_seeds'][0], TARGET_TAG).integers(len(clips))
        results['target'] = clips[clip].copy()  # a tensor would take an open file on its way between processes
        return results

    def __getstate__(self) -> dict:
        return {**self.__dict__, '_table': None}  # each process maps the files itself

    def __repr__(self) -> str:
        return f"{type(self).__name__}(store='{self.store}')"


class TargetTable:
    """The targets of all videos of a list, by a video's place in it.

    Args:
        folder (str): Folder that `TargetLoop` has written.

    Attributes:
        identity (dict): What they are of: network and data, see `iboot_mm.stores.identity`.
        num_clips (int): K.
        num_unreadable (int): Videos that could not be read when the targets were written.

    Raises:
        FileNotFoundError: There are none.
        ValueError: Some are missing.
    """

    def __init__(self, folder: str) -> None:
        try:
            store = FeatureStore(folder)
        except FileNotFoundError as error:
            raise FileNotFoundError(f'{error} Write the targets before training, by tools/test.py with a config like '
                                    'those of configs/targets.') from error
        shards = store.shards()
        self.folder = folder
        self.identity = store.identity
        self._features = [features.numpy() for features, _ in shards]  # (n, K, D) each, on the disk
        count = _count(self.identity, folder)
        if missing := max(0, count - sum(len(about['index']) for _, about in shards)):
            raise ValueError(_incomplete(folder, missing, count))
        if max((index for _, about in shards for index in about['index']), default=0) >= count:
            raise ValueError(f"'{folder}' says that it is of {count} videos and holds targets of others: write them "
                             'anew')
        self._places = np.full((count, 2), -1)  # shard and row of each video
        self._unreadable = np.zeros(count, bool)
        names = [''] * count
        for shard, (_, about) in enumerate(shards):
            self._places[about['index']] = [(shard, row) for row in range(len(about['index']))]
            self._unreadable[about['index']] = np.array(about['replaced'], bool)
            for index, name in zip(about['index'], about['filename']):
                if name is None:
                    raise ValueError(f"'{folder}' does not name the file of video {index}: write the targets anew")
                names[index] = name
        if missing := int((self._places < 0).any(1).sum()):
            raise ValueError(_incomplete(folder, missing, count))
        self._names = below_common_folder(names)
        self.num_clips = self._features[0].shape[1]
        self.num_unreadable = int(self._unreadable.sum())

    def clips(self, index: int, path: str) -> np.ndarray:
        """Features (K, D) of the clips of one video, on the disk.

        Args:
            index (int): The video's place in the list.
            path (str): Its file, whose name below the list's common folder must be the stored one.
        """
        path = without_shard(path)
        name = self._names[index].decode() if index < len(self._names) else None
        if name is not None and self._unreadable[index]:  # the name there is that of its stand-in
            raise UnreadableVideo(path, f"it could not be read when '{self.folder}' was written")
        if name is None or not f'/{path}'.endswith(f'/{name}'):
            raise ValueError(f"Video {index} is '{path}', but '{self.folder}' has "
                             f"{f'{name!r} there' if name else f'{len(self._names)} videos'}: the targets are of "
                             'another list, write them anew for this one')
        shard, row = self._places[index]
        return self._features[shard][row]


def _count(identity: dict, folder: str) -> int:
    """How many videos a store says that it is of."""
    data = identity.get('data')
    count = data.get('videos') if isinstance(data, dict) else None
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"the store.json of '{folder}' does not say of how many videos it is: write the targets anew")
    return count


def _incomplete(folder: str, missing: int, count: int) -> str:
    return (f"'{folder}' holds no targets of {missing} of its {count} videos: run the command that writes them again, "
            'it goes on where it was stopped')


def below_common_folder(paths: list[str]) -> np.ndarray:
    """Paths without the folder that all share, in UTF-8; an array takes a tenth of a list's memory."""
    paths = [without_shard(path) for path in paths]
    common = os.path.commonpath([os.path.dirname(path) for path in paths])
    return np.array([os.path.relpath(path, common).encode() for path in paths])
