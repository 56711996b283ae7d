"""Where images with classes come from: folders, lists of images or videos, torchvision, VTAB's archives, digits."""

import inspect
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch.utils.data import ConcatDataset, Dataset, TensorDataset
from torchvision.datasets.folder import find_classes, make_dataset

from ..decoders.frames import IMAGE_EXTENSIONS
from ..listing import VIDEO_EXTENSIONS, check_files, parse_list
from .image_files import ImageFiles
from .vtab import open_vtab


def open_images(name: str, place: str) -> tuple[str, list[Dataset]]:
    """Images with their classes; arguments and errors as :func:`~iboot_mm.datasets.images.tasks.open_task` says.

    Args:
        name: NAME, empty where none was given.
        place: PLACE.

    Returns:
        The name for tables, and the images of training and test, or all of them where there is no such split.
    """
    if name.startswith('torchvision.'):
        kind = name.partition('.')[2]
        return kind, _torchvision(kind, place)
    if name.startswith('vtab.'):
        kind = name.partition('.')[2]
        return kind, open_vtab(kind, place)
    if place == 'sklearn.digits':
        return name or 'digits', _digits()
    lists, _, root = place.partition('@')
    if lists.endswith('.txt'):
        files = lists.split(',')
        return name or Path(files[0]).stem, _lists(files, root or None)
    return name or Path(place).resolve().name, _folder(Path(place))


def _folder(root: Path) -> list[ImageFiles]:
    if not root.is_dir():
        raise FileNotFoundError(f'there is no folder of images {root}: a task is a folder, one or two lists (.txt), '
                                'torchvision.KIND=FOLDER, vtab.KIND=FOLDER or sklearn.digits')
    roots = [root / 'train', root / 'test']
    roots = roots if all(part.is_dir() for part in roots) else [root]
    classes, indices = find_classes(roots[0])
    if len(roots) == 2 and (others := set(classes) ^ set(find_classes(roots[1])[0])):
        raise ValueError(f'{root}: class {min(others)} is in only one of train and test: give both the same folders')
    return [ImageFiles(make_dataset(part, indices, IMAGE_EXTENSIONS)) for part in roots]


def _lists(files: Sequence[str], root: str | None) -> list[ImageFiles]:
    parts = [ImageFiles(_list(file, os.path.dirname(file) if root is None else root)) for file in files]
    both = set.intersection(*({path for path, _ in part.entries} for part in parts)) if len(parts) > 1 else ()
    if len(parts) > 2 or both:
        what = f"'{min(both)}' is in both of them" if both else f'{len(parts)} are too many'
        raise ValueError(f'{", ".join(files)}: {what}; give a list to learn from and one of other images to test')
    return parts


def _list(file: str, root: str) -> list[tuple[str, int]]:
    entries = [(os.path.join(root, path), labels.get('label'))
               for path, labels in parse_list(file, extensions=IMAGE_EXTENSIONS + VIDEO_EXTENSIONS)]
    if entries[0][1] is None:
        raise ValueError(f"'{file}' has no labels: a task needs lines 'path label'")
    check_files([path for path, _ in entries], file, 'take their lines out, or name the folder that its paths are '
                'relative to, as in LIST@FOLDER')
    return entries


def _torchvision(kind: str, folder: str) -> list[Dataset]:
    """Training and test images, or all where there is no split; what is meant for validation is trained on."""
    source = getattr(torchvision.datasets, kind, None)
    options = inspect.signature(source).parameters if isinstance(source, type) else ()
    if 'root' not in options:
        raise ValueError(f'torchvision has no data set {kind} that lies in a folder: see torchvision.datasets')
    try:
        if 'train' in options:
            return [source(folder, train=True), source(folder, train=False)]
        if 'split' not in options:
            return [source(folder)]
        splits = {name: _split(source, folder, name) for name in ('trainval', 'train', 'val', 'test')}
    except (OSError, RuntimeError, TypeError) as error:
        raise FileNotFoundError(f'torchvision cannot open {kind} in {folder} ({error}); nothing is downloaded here: '
                                'have torchvision do it first') from None
    found = {name: images for name, images in splits.items() if images is not None}
    if len(found) < 2:
        raise ValueError(f'the splits of {kind} are not known here: give its images as folders or lists')
    test = found.pop('test' if 'test' in found else 'val')
    return [found.get('trainval') or ConcatDataset(list(found.values())), test]


def _split(source: type, folder: str, split: str) -> Dataset | None:
    try:
        return source(folder, split=split)
    except ValueError:  # it has no split of that name
        return None


def _digits() -> list[Dataset]:
    """1797 images of 8 x 8 pixels; no official split."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise ValueError('sklearn.digits needs scikit-learn: pip install scikit-learn') from None
    digits = load_digits()
    images = torch.from_numpy(np.round(digits.images * (255 / 16)).astype(np.uint8)).unsqueeze(1)
    return [TensorDataset(images, torch.from_numpy(digits.target))]
