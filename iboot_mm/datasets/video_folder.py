"""Any folder of videos, labels optional."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from mmaction.datasets import BaseActionDataset
from mmaction.registry import DATASETS

from ..compat import outer_place, place_in_epoch
from ..ranges import above_zero, in_unit_interval
from .decoders import UnreadableVideo
from .listing import VIDEO_EXTENSIONS, locate
from .transforms.packing import PackViews
from .transforms.randomness import REPLACE_TAG, fresh_seed
from .video_lists import videos_of_folder, videos_of_list
from .video_table import VideoTable

_MOST_ATTEMPTS = 32


class NoReadableVideo(RuntimeError):
    """Many videos in a row could not be read."""


@DATASETS.register_module()
class VideoFolder(BaseActionDataset):
    """Videos in nested folders or in tar shards, all of them or those of a list, be it ever so long.

    A video that cannot be read is replaced by another one of the data set, chosen by (seed, epoch, index, attempt). The
    sample then says so (`replaced`, `unreadable` in its metainfo) for `UnreadableVideosHook` and the evaluators;
    `sample_idx` remains the place that was asked for, `filename` and labels are those of the video that is there.

    Args:
        root (str): Folder of the videos, or of tar shards that hold them (see `iboot_mm.datasets.shards`), or the
            address of either (see `iboot_mm.datasets.remote`).
        ann_file (str): List of lines `path [label [label2 ...]]`, see `ListFile`, paths relative to `root`; itself a
            path from the working folder, else from `root`. Empty: every file below `root` with one of the
            `extensions`, without labels; or, if there is none, every video of the shards, with theirs.
        label_names (Sequence[str], optional): Names of the list's label columns, or of labels of the shards. None: one
            unnamed column, or none.
        pipeline (list): Transforms, see `iboot_mm.datasets.transforms`.
        role (str, optional): 'gallery' or 'query' in k-NN evaluation.
        share (float): Of the videos only so many, in (0, 1], evenly spaced in the list, in which classes so keep their
            shares: a gallery of a tenth makes a k-NN score that is lower but as good for comparing epochs.
        test_mode (bool): Every pass gives the same samples, random views and replacements too.
        extensions (Sequence[str]): Endings of file names that count as videos. With endings of pictures (such as
            '.jpg') each folder of pictures is a video, to be read by the decoder 'frames'.
        kwargs: Further arguments of mmengine's `BaseDataset`, such as `indices` or `lazy_init`.

    Raises:
        FileNotFoundError: If there is no such folder, list, or no video.
        ValueError: For a bad list, or a share that is none.

    Example:
        >>> train_dataloader = dict(dataset=dict(type='VideoFolder', root='data/my_videos', pipeline=[
        ...     dict(type='OpenVideo'), dict(type='SampleViews', num_views=3), dict(type='DecodeViews'),
        ...     dict(type='CropViews', size=224), dict(type='PackViews')]))
    """

    def __init__(self, root: str, ann_file: str = '', label_names: Sequence[str] | None = None,
                 pipeline: Sequence[dict | Callable] = (), role: str | None = None, test_mode: bool = False,
                 extensions: Sequence[str] = VIDEO_EXTENSIONS, share: float = 1., **kwargs: Any) -> None:
        self.root = os.path.expanduser(root)
        label_names = (label_names, ) if isinstance(label_names, str) else tuple(label_names or ())
        self.label_names = label_names or None
        self.role = role
        above_zero('VideoFolder', share=share)
        in_unit_interval('VideoFolder', share=share)
        self.share = share
        self.extensions = (extensions,) if isinstance(extensions, str) else tuple(extensions)
        super().__init__(ann_file=ann_file, pipeline=list(pipeline), data_prefix=dict(video=self.root),
                         test_mode=test_mode, **kwargs)
        # mmengine writes it into each checkpoint: what a head has learned, see StartingWeightsHook.
        self._metainfo['gt_label'] = next((t.label for t in self.pipeline.transforms if isinstance(t, PackViews)), None)
        if test_mode:  # where a test asks for random views, they are the same ones in every pass
            for transform in self.pipeline.transforms:
                if hasattr(transform, 'set_epoch'):
                    transform.set_epoch(0, 0)

    def load_data_list(self) -> Sequence[dict]:
        """One `dict(filename, labels)` per video; of a long list, made when they are asked for (`VideoTable`)."""
        if not self.ann_file:
            return videos_of_folder(self.root, self.extensions, self.label_names)
        ann_file = locate(self.ann_file, self.root)
        if not os.path.isfile(ann_file) and not os.path.isdir(self.root):
            raise FileNotFoundError(f"There is no list '{self.ann_file}', and no folder '{self.root}' that could hold "
                                    'it: set `root` to the folder of your videos.')
        return videos_of_list(ann_file, self.root, self.extensions, self.label_names)

    def filter_data(self) -> Sequence[dict]:
        """All videos, or a share of them; those of a table are shared by all processes as they are, not pickled."""
        if isinstance(self.data_list, VideoTable):
            self.serialize_data = False
        videos = super().filter_data()
        if self.share == 1:
            return videos
        count = max(1, round(self.share * len(videos)))
        return self._get_unserialized_subset([place * len(videos) // count for place in range(count)])

    def label_column(self, name: str) -> np.ndarray | None:
        """One label of all videos, int64 (N,); None if they have none of that name."""
        self.full_init()
        if isinstance(self.data_list, VideoTable):
            return self.data_list.labels(name)
        labels = [self.get_data_info(index)['labels'].get(name) for index in range(len(self))]
        return None if None in labels else np.array(labels, dtype=np.int64)

    def __getitem__(self, idx: int) -> dict:
        """The sample at `idx`, or one that stands in for it.

        Raises:
            NoReadableVideo: If many videos in a row cannot be read.
        """
        if not self._fully_initialized:
            self.full_init()
        idx = idx % len(self) if idx < 0 else idx
        # Several times in an epoch, as `EndlessSampler` asks for it, a video has other draws each time.
        sample_idx = place_in_epoch(idx, len(self))
        unreadable: list[tuple[str, str]] = []
        for candidate in self._candidates(idx):
            info = self.get_data_info(candidate)
            info.update(sample_idx=sample_idx, video_idx=candidate, role=self.role, unreadable=unreadable,
                        replaced=bool(unreadable))
            try:
                sample = self.pipeline(info)
                if sample is None:
                    raise UnreadableVideo(str(info['filename']), 'the pipeline gave nothing')
                return sample
            except UnreadableVideo as error:
                unreadable.append((error.path, error.reason))
        path, reason = unreadable[0]
        raise NoReadableVideo(f"None of {len(unreadable)} videos of '{self.ann_file or self.root}' could be read, the "
                              f'first of them {path}: {reason}; check the files, `root` and the decoder.')

    def get_cat_ids(self, idx: int) -> list[int]:
        """The classes of a video, by which mmengine's `ClassBalancedDataset` repeats it.

        That of the label that `PackViews` gives to a head, else those of all labels, numbered apart.

        Raises:
            ValueError: If there are no labels, or none of that name.
        """
        labels = self.get_data_info(idx)['labels']
        chosen = self._metainfo['gt_label']
        if not labels or chosen not in (None, *labels):
            what = f'no label {chosen!r} but {list(labels)}' if labels else 'no labels'
            raise ValueError(f"The videos of '{self.ann_file or self.root}' have {what}, by which ClassBalancedDataset "
                             "could repeat them: set `ann_file` to a list of lines 'path label', and `label_names` if "
                             'it has several.')
        if chosen is not None:
            return [labels[chosen]]
        return [label * len(labels) + place for place, label in enumerate(labels.values())]

    def _get_unserialized_subset(self, indices: int | Sequence[int]) -> Sequence[dict]:
        if isinstance(self.data_list, VideoTable) and not isinstance(indices, int):
            return self.data_list.take(indices)
        return super()._get_unserialized_subset(indices)

    def _candidates(self, idx: int) -> Iterator[int]:
        """`idx`, then others in random order."""
        yield idx
        seed, epoch = self._seed_and_epoch()
        rng = np.random.default_rng([seed, epoch, idx, REPLACE_TAG, *outer_place()])
        others = rng.choice(len(self), size=min(_MOST_ATTEMPTS + 1, len(self)), replace=False)
        yield from [int(i) for i in others if i != idx][:_MOST_ATTEMPTS]

    def _seed_and_epoch(self) -> tuple[int, int]:
        if self.test_mode:
            return 0, 0
        for transform in self.pipeline.transforms:
            clock = getattr(transform, 'clock', None)
            if clock is not None and clock.get() is not None:
                return clock.get()
        return fresh_seed(), 0
