"""Pictures with one class each, whole or a class-balanced part of them."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmaction.registry import DATASETS
from mmengine.logging import print_log
from torchvision.datasets.folder import find_classes, make_dataset

from ..decoders.frames import IMAGE_EXTENSIONS
from ..listing import check_files
from ..video_folder import VideoFolder


@DATASETS.register_module()
class LabelledImages(VideoFolder):
    """Pictures and their classes, read as clips of one frame: all transforms and the preprocessor are the videos' own.

    The class-balanced part of VIVI's co-training (section 4, "a class-balanced fraction of ImageNet") has the same
    number of pictures of each class, drawn by seed; 10 % of ImageNet are 128 of each. A smaller share is a part of a
    larger one (our choice).

    Example:
        >>> dataset = dict(type='LabelledImages', root='data/imagenet/train', num_classes=1000, share=.1, pipeline=[
        ...     dict(type='OpenVideo', decoder='picture'), dict(type='SampleViews', num_views=1, clip_len=1),
        ...     dict(type='DecodeViews'), dict(type='CropViews', size=224), dict(type='PackViews')])

    Args:
        root (str): Folder of the pictures.
        num_classes (int): C; labels are 0 to C - 1.
        ann_file (str): List of lines `path label`, as that of `VideoFolder`. Empty: each folder in `root` is a class,
            numbered in the order of their names, as torchvision's `ImageFolder`.
        share (float): Part of the pictures to keep, in (0, 1]: `share` x pictures / C of each class, rounded; 1 keeps
            all of them, balanced or not.
        share_seed (int): Seed of that choice. It is apart from the run's, so that runs of several seeds see the same
            labels.
        extensions (Sequence[str]): Endings of file names that count as pictures.
        kwargs: `pipeline`, `test_mode` and others of `VideoFolder`.

    Raises:
        FileNotFoundError: If there is no such folder or list, or a picture of the list is missing.
        ValueError: For a bad list, a label outside [0, C), or a class with too few pictures for the share.
    """

    def __init__(self, root: str, num_classes: int, ann_file: str = '', share: float = 1., share_seed: int = 0,
                 extensions: Sequence[str] = IMAGE_EXTENSIONS, **kwargs: Any) -> None:
        if not 0 < share <= 1:
            raise ValueError(f'LabelledImages: share must lie in (0, 1], got {share}.')
        self.class_share = share  # `share` of VideoFolder takes no look at classes
        self.share_seed = share_seed
        super().__init__(root, ann_file, extensions=extensions, num_classes=num_classes, **kwargs)

    def load_data_list(self) -> list[dict]:
        """One `dict(filename, labels=dict(label=...))` per picture."""
        pictures = super().load_data_list() if self.ann_file else self._scan()
        self._check_labels(pictures)
        labels = np.array([picture['labels']['label'] for picture in pictures])
        if self.class_share < 1:
            try:
                kept = class_balanced(labels, self.num_classes, self.class_share, self.share_seed)
            except ValueError as error:
                raise ValueError(f"'{self.ann_file or self.root}': {error}") from None
            pictures, labels = [pictures[i] for i in kept], labels[kept]
        if self.ann_file:
            check_files([picture['filename'] for picture in pictures], self.ann_file,
                        'put them there, or take their lines off the list.')
        counts = np.bincount(labels, minlength=self.num_classes)
        each = f'{counts.min()}' if counts.min() == counts.max() else f'{counts.min()} to {counts.max()}'
        print_log(f'{len(pictures)} labelled images of {self.ann_file or self.root} (share {self.class_share:g}): '
                  f'{each} of each of {self.num_classes} classes', logger='current')
        return pictures

    def _scan(self) -> list[dict]:
        if not os.path.isdir(self.root):
            raise FileNotFoundError(f"There is no folder '{self.root}': set `root` to the folder of your pictures, or "
                                    'of the folders of the classes.')
        classes, numbers = find_classes(self.root)
        if len(classes) != self.num_classes:
            raise ValueError(f"'{self.root}' holds {len(classes)} folders, one for each class, but num_classes is "
                             f'{self.num_classes}: set it to {len(classes)}, or `root` to the folder of the classes.')
        found = make_dataset(self.root, numbers, tuple(self.extensions), allow_empty=True)
        if not found:
            raise FileNotFoundError(f"The folders in '{self.root}' hold no picture ({', '.join(self.extensions)}).")
        return [dict(filename=path, labels=dict(label=label)) for path, label in found]

    def _check_labels(self, pictures: list[dict]) -> None:
        for picture in pictures:
            label = picture['labels'].get('label')
            if label is None or label >= self.num_classes:
                has = 'no label' if label is None else f'the label {label}'
                raise ValueError(f"'{self.ann_file}': {picture['filename']} has {has}, but num_classes="
                                 f"{self.num_classes} wants lines 'path label' with labels of 0 to "
                                 f'{self.num_classes - 1}.')


def class_balanced(labels: np.ndarray, num_classes: int, share: float, seed: int) -> np.ndarray:
    """Draws the same number of each class, ``share * N / C`` rounded.

    Args:
        labels: int ``(N,)`` in [0, C).
        num_classes: C.
        share: In (0, 1].
        seed: Of the draw; each class has a stream of its own, whose first places a smaller share takes.

    Returns:
        Places of those drawn, ascending, int64.

    Raises:
        ValueError: a class has fewer than that, or the share is less than one of each.
    """
    wanted = round(share * len(labels) / num_classes)
    if not wanted:
        raise ValueError(f'share={share:g} of {len(labels)} pictures is less than one of each of {num_classes} classes')
    counts = np.bincount(labels, minlength=num_classes)
    short = int(counts.argmin())
    if counts[short] < wanted:
        raise ValueError(f'class {short} has {counts[short]} pictures, fewer than the {wanted} that share={share:g} '
                         'takes of each: lower the share, or add pictures of that class')
    drawn = [np.random.default_rng([seed, label]).permutation(np.flatnonzero(labels == label))[:wanted]
             for label in range(num_classes)]
    return np.sort(np.concatenate(drawn))
