"""VTAB's splits of the archives that have none (Zhai et al., https://arxiv.org/abs/1910.04867).

VTAB reads its tasks from TensorFlow Datasets (TFDS): its code (google-research/task_adaptation, ``data/``) says which
part is learned from and which is tested, and TFDS which image is in which part.

- EuroSAT and RESISC45 have no official split. VTAB tests the last 20 % of TFDS' order and draws from the rest (60 % for
  training, 20 % for validation). That order is the one of the MD5 of the word ``train`` and each image's key
  (``FOLDER_FILE.jpg``), so **these are VTAB's own images**, by its code; no copy of TFDS was at hand to compare.
- SUN397's official partitions are ten overlapping halves of 50 images a class; VTAB takes none of them, but TFDS' own
  lists for training, validation and test, which must lie beside the images. **VTAB's own images** too.
- Caltech101 has no official lists, but a custom: 30 images of each class to learn from, the rest to test. TFDS draws
  the 30 from files in whatever order the disk lists them, so nobody else can draw the same ones: **VTAB's rule, our
  draw**, from names in their order. The background is a class, as in VTAB: 102 of them.

Which 1000 images of a part for learning are labelled is drawn by seed; VTAB takes the first ones of TFDS' order.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from torchvision.datasets.folder import find_classes, make_dataset

from ..decoders.frames import IMAGE_EXTENSIONS
from ..listing import check_files
from .image_files import ImageFiles

CALTECH_PER_CLASS, CALTECH_SEED = 30, 1234  # both of TFDS
TESTED = .2  # the share behind VTAB's training and validation images
SUN_LISTS = ('sun397_tfds_tr.txt', 'sun397_tfds_va.txt', 'sun397_tfds_te.txt')
# Their encoding is broken; TFDS leaves them out.
SUN_LEFT_OUT = {'/c/church/outdoor/sun_bhenjvsvrtumjuri.jpg', '/t/track/outdoor/sun_aophkoiosslinihb.jpg'}


def open_vtab(kind: str, folder: str | Path) -> list[ImageFiles]:
    """The images that VTAB draws from, its training and validation images, and those that it tests.

    Args:
        kind: ``'Caltech101'``, ``'EuroSAT'``, ``'RESISC45'`` or ``'SUN397'``.
        folder: What the archive was unpacked in, by hand or by torchvision.

    Raises:
        FileNotFoundError: the archive's folder, an image or a list is not there.
        ValueError: no such task, or a class with too few images.
    """
    if kind not in READERS:
        raise ValueError(f"vtab.{kind} is none of {', '.join(f'vtab.{name}' for name in READERS)}; VTAB's other tasks "
                         'are opened as torchvision.KIND, folders or lists')
    return [ImageFiles(part) for part in READERS[kind](Path(folder))]


def _caltech(folder: Path) -> tuple[list, list]:
    root = _inside(folder, *(f'{place}101_ObjectCategories' for place in ('', 'caltech101/', 'caltech-101/')))
    draw = np.random.RandomState(CALTECH_SEED)
    parts = [], []
    for label, name in enumerate(find_classes(root)[0]):
        files = sorted(path for path in (root / name).iterdir() if path.suffix.lower() in IMAGE_EXTENSIONS)
        if len(files) <= CALTECH_PER_CLASS:
            raise ValueError(f'{root / name} has {len(files)} images, but VTAB learns from {CALTECH_PER_CLASS} of each '
                             'class and tests the rest: unpack the whole archive')
        chosen = set(draw.choice(len(files), CALTECH_PER_CLASS, replace=False).tolist())
        for index, path in enumerate(files):
            parts[index not in chosen].append((str(path), label))
    return parts


def _eurosat(folder: Path) -> tuple[list, list]:
    return _in_tfds_order(_inside(folder, '2750', 'eurosat/2750', 'EuroSAT/2750', 'EuroSAT_RGB'))


def _resisc(folder: Path) -> tuple[list, list]:
    return _in_tfds_order(_inside(folder, 'NWPU-RESISC45'))


def _in_tfds_order(root: Path) -> tuple[list, list]:
    def place(entry: tuple[str, int]) -> int:
        path = Path(entry[0])
        return tfds_hash('train', f'{path.parent.name}_{path.name}')

    entries = sorted(make_dataset(root, find_classes(root)[1], IMAGE_EXTENSIONS), key=place)
    first = round(len(entries) * (1 - TESTED))
    return entries[:first], entries[first:]


def tfds_hash(split: str, key: str) -> int:
    """By what TFDS sorts the examples of a split (``core/hashing.py``), 128 bits."""
    return int(hashlib.md5(f'{split}{key}'.encode()).hexdigest(), 16)


def _sun(folder: Path) -> tuple[list, list]:
    root = _inside(folder, 'SUN397')
    train, validation, test = (_sun_list(folder, root, name) for name in SUN_LISTS)
    classes = sorted({_scene(path) for path in (*train, *validation, *test)})
    labels = {scene: label for label, scene in enumerate(classes)}

    def entries(names: Iterable[str], lists: str) -> list[tuple[str, int]]:
        found = [(f'{root}{name}', labels[_scene(name)]) for name in names]
        check_files([path for path, _ in found], lists, 'unpack the whole SUN397.tar.gz')
        return found

    return entries(train + validation, ' and '.join(SUN_LISTS[:2])), entries(test, SUN_LISTS[2])


def _sun_list(folder: Path, root: Path, name: str) -> list[str]:
    path = next((path for path in (folder / name, root / name) if path.is_file()), None)
    if path is None:
        raise FileNotFoundError(f"there is no '{folder / name}': VTAB's split of SUN397 is TFDS' own, so copy {name} "
                                'from tensorflow_datasets/image_classification of TensorFlow Datasets there')
    names = [line.strip() for line in path.read_text().splitlines() if line.strip()]
    if bad := next((line for line in names if not line.startswith('/') or '..' in line), None):
        raise ValueError(f"'{path}': {bad!r} is no line of it as published, such as /a/abbey/sun_NAME.jpg")
    return [line for line in names if line not in SUN_LEFT_OUT]


def _scene(name: str) -> str:
    return name.rpartition('/')[0]


def _inside(folder: Path, *places: str) -> Path:
    """The archive's own folder: `folder` itself, or where one of the places in it lies."""
    names = {Path(place).name for place in places}
    found = [folder] if folder.name in names and folder.is_dir() else [
        folder / place for place in places if (folder / place).is_dir()]
    if not found:
        raise FileNotFoundError(f"there is no '{folder / places[0]}': name the folder in which the archive was "
                                'unpacked; nothing is downloaded here')
    return found[0]


READERS = dict(Caltech101=_caltech, EuroSAT=_eurosat, RESISC45=_resisc, SUN397=_sun)
