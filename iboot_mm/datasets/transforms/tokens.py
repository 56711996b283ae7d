"""Stored token maps in the place of decoded frames."""

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...stores.identity import without_places
from ..decoders import UnreadableVideo
from ..tokens import TokenStore, check, name_below

ANYHOW = ('name', 'chunk_size', 'precision', 'output')  # of a teacher; none of these makes it another one


@TRANSFORMS.register_module()
class OpenTokens(BaseTransform):
    """Open the token maps of a video, which `tools/data/cache_tokens.py` has written for the config that says this.

    It takes the place of `OpenVideo`, and `TakeTokens` that of `DecodeViews` and `CropViews`. The crop is the middle of
    each frame, the same in every epoch, without flip and colours: that is the price. Frame rates are not stored, so
    `target_fps` and `max_span` of `SampleViews` do not go with it.

    Required key: `filename`. Added keys: `tokens` float16 (F, h, w, D) on the disk, `every`, `total_frames`, `fps` (0).

    Example:
        >>> pipeline = [dict(type='OpenTokens', store='data/tokens/ucf101', root='data/ucf101/videos', teacher=teacher),
        ...             dict(type='PlaybackRate'), dict(type='TakeTokens'),
        ...             dict(type='PackViews', label='playback_rate')]

    Args:
        store (str): Folder of the maps.
        root (str): Folder of the videos.
        teacher (dict | list[dict]): The config of `ImageTMM`'s image model, or models.
        size (int): Side of the crop in pixels.
        short_side (int): To which the frame is scaled before, in pixels.
        resolution (int, optional): Height and width to which the grid of patches is averaged, to take less room. None:
            all of it; `ImageTMM` averages what it reads to a `resolution` of its own.
        every (int): The store has every so-th frame; a frame between two is read as the nearest, halfway as the later.

    Raises:
        FileNotFoundError: There are no maps in the folder.
        ValueError: They are of other image models, crops or frames, or there are none of this video.
        UnreadableVideo: The video could not be read when they were written.
    """

    def __init__(self, store: str, root: str, teacher: dict | list[dict], size: int = 224, short_side: int = 256,
                 resolution: int | None = None, every: int = 1) -> None:
        self.folder, self.root = store, root
        self.about = describe(teacher, size, short_side, resolution, every)
        self.every = every
        self._store: TokenStore | None = None

    @property
    def store(self) -> TokenStore:
        """The maps, compared with the arguments when they are first asked for."""
        if self._store is None:
            store = TokenStore(self.folder)
            check(store.folder, store.about, self.about)
            self._store = store
        return self._store

    def transform(self, results: dict) -> dict:
        """See the class."""
        path = str(results['filename'])
        try:
            results['tokens'] = self.store.open(name_below(self.root, path))
        except UnreadableVideo as error:
            raise UnreadableVideo(path, error.reason) from None
        results['every'], results['fps'] = self.every, 0.
        results['total_frames'] = (len(results['tokens']) - 1) * self.every + 1
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(store='{self.folder}', root='{self.root}', {self.about})"


@TRANSFORMS.register_module()
class TakeTokens(BaseTransform):
    """Read the maps of all views' frames.

    Required keys: `tokens`, `every`, `frame_inds` (V, T). Removed key: `tokens`.
    Added key: `imgs` float16 (V, T, h, w, D).
    """

    def transform(self, results: dict) -> dict:
        """See the class."""
        tokens, inds = results.pop('tokens'), results['frame_inds']
        rows, places = np.unique(np.floor(inds / results['every'] + .5).astype(np.int64), return_inverse=True)
        results['imgs'] = np.asarray(tokens[rows])[places.reshape(inds.shape)]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


def describe(teacher: dict | list[dict], size: int, short_side: int, resolution: int | None, every: int) -> dict:
    """What maps are of, as far as a config says it: JSON values."""
    return dict(describe_teachers(teacher), size=size, short_side=short_side, resolution=resolution, every=every)


def describe_teachers(teacher: dict | list[dict]) -> dict:
    """What tells image models apart: their configs without folders, names and speed, and the names of their files."""
    teachers = teacher if isinstance(teacher, (list, tuple)) else [teacher]
    files = [str(config.get('checkpoint') or '').rpartition('/')[2] for config in teachers]
    teachers = [{key: value for key, value in dict(without_places(config), pretrained=config.get('pretrained')).items()
                 if key not in ANYHOW and value is not None} for config in teachers]
    return dict(teachers=teachers, checkpoints=files)
