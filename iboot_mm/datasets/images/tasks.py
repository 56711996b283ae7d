"""Tasks of image classification with few labels: which images are learned from, and which are tested."""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset, Subset, TensorDataset
from torchvision.transforms.functional import to_pil_image

from ..parallel import num_cores
from .image_files import ImageFiles
from .sources import open_images

DRAW_TAG = 0x7A5C0  # keeps the draw of images apart from other streams of the same seed
SPEC = re.compile(r'(?:(?P<group>\w+):)?(?:(?P<name>[^=]+)=)?(?P<place>.+)')
NO_GROUP = 'ungrouped'


@dataclass(frozen=True)
class ImageTask:
    """One task.

    Attributes:
        name: Its name in tables.
        group: The group whose mean it enters, such as VTAB's natural, specialized and structured.
        train: The labelled images, in the order of their draw; items ``(image, label)``, an image of PIL's or a tensor
            that torchvision's ``to_pil_image`` takes.
        test: As ``train``; shares no image with it.
        identity: Tells these images from others without reading them.
    """

    name: str
    group: str
    train: Dataset
    test: Dataset
    identity: str

    def load(self, part: str, size: int) -> tuple[Tensor, Tensor]:
        """The images of a part as squares, as VTAB prepares them: resized without regard to their shape, no crop.

        Bilinear as VTAB's; averaging over the pixels that a smaller image leaves out is our choice.

        Args:
            part: ``'train'`` or ``'test'``.
            size: Side of the squares, pixels.

        Returns:
            uint8 ``(N, 3, size, size)``, which is N x 150 kB at 224 pixels, and the labels ``(N,)``, int64.

        Raises:
            ValueError: an image can't be read.
        """
        return next(self.batches(part, size, len(getattr(self, part))))

    def batches(self, part: str, size: int, together: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The same, so many images at a time in their order; no more of them are in memory.

        Args:
            part: See :meth:`load`.
            size: See :meth:`load`.
            together: Images of a batch; the last one may have fewer.

        Raises:
            ValueError: an image can't be read.
        """
        images = getattr(self, part)
        with ThreadPoolExecutor(num_cores()) as pool:
            for start in range(0, len(images), together):
                count = min(together, len(images) - start)
                squares = torch.empty(count, 3, size, size, dtype=torch.uint8)
                labels = torch.empty(count, dtype=torch.int64)
                items = pool.map(partial(self._item, images, size), range(start, start + count))
                for row, (square, label) in enumerate(items):
                    squares[row], labels[row] = square, label
                yield squares, labels

    def _item(self, images: Dataset, size: int, index: int) -> tuple[Tensor, int]:
        image, label = images[index]
        return to_square(image, size), int(label)


def to_square(image: Image.Image | Tensor, size: int) -> Tensor:
    """An image as uint8 ``(3, size, size)``, RGB."""
    image = to_pil_image(image) if isinstance(image, Tensor) else image
    square = image.convert('RGB').resize((size, size), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)


def open_task(spec: str, examples: int = 1000, seed: int = 0) -> ImageTask:
    """Opens a task and draws its labelled images.

    The official training images are drawn from, and all test images are tested; of images without such a split, those
    that are not drawn are tested.

    Args:
        spec: ``[GROUP:][NAME=]PLACE``, where PLACE is a folder (``train/CLASS/*.jpg`` and ``test/CLASS/*.jpg``, or
            ``CLASS/*.jpg``), ``LIST.txt`` or ``TRAIN.txt,TEST.txt`` (lines ``path label``, paths relative to the list,
            or to FOLDER after ``@FOLDER``; of a video, the middle frame is the image), or ``sklearn.digits``. NAME is
            the task's name, or ``torchvision.KIND`` for the data set of torchvision that lies in the folder PLACE, or
            ``vtab.KIND`` for an archive there that VTAB splits (:mod:`.vtab`).
        examples: Labelled images to draw (VTAB: 1000).
        seed: Of the draw.

    Raises:
        FileNotFoundError: no such folder, list, image or data set.
        ValueError: no task, no such kind of data set, a bad list, or fewer images than asked for.
    """
    found = SPEC.fullmatch(spec)
    if found is None:
        raise ValueError(f'{spec!r} is no task: give [GROUP:][NAME=]PLACE, where PLACE is a folder, a list (.txt) or '
                         'sklearn.digits')
    name, parts = open_images(found['name'] or '', found['place'])
    return draw_task(name, found['group'] or NO_GROUP, parts, examples, seed)


def draw_task(name: str, group: str, parts: Sequence[Dataset], examples: int = 1000, seed: int = 0) -> ImageTask:
    """A task whose labelled images are drawn from data sets at hand.

    Args:
        name: See :class:`ImageTask`.
        group: See :class:`ImageTask`.
        parts: Training and test images, or one data set that is both.
        examples: See :func:`open_task`.
        seed: See :func:`open_task`.

    Raises:
        ValueError: there are fewer images than asked for.
    """
    pool, whole = parts[0], len(parts) == 1
    if len(pool) < examples + whole:
        rest = ', and at least one must be left to test' if whole else ''
        raise ValueError(f'task {name} has {len(pool)} images to draw from, but {examples} labelled ones are asked for'
                         f'{rest}: lower --examples, or add images')
    order = np.random.default_rng([seed, DRAW_TAG]).permutation(len(pool)).tolist()
    train, test = Subset(pool, order[:examples]), Subset(pool, order[examples:]) if whole else parts[1]
    for label in (train[0][1], test[0][1]):
        if not isinstance(label, (int, np.integer, Tensor)):
            raise ValueError(f'task {name}: the label {label!r} is no whole number; a task needs one class per image')
    about = json.dumps([name, [_identity(part) for part in parts], examples, seed])
    return ImageTask(name, group, train, test, hashlib.sha256(about.encode()).hexdigest())


def _identity(images: Dataset) -> list:
    """Files by the end of their path, class and size; tensors by their values; others by their kind and number."""
    if isinstance(images, ImageFiles):
        return [(os.path.join(*Path(path).parts[-2:]), label, os.path.getsize(path)) for path, label in images.entries]
    if isinstance(images, TensorDataset):
        return [hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest() for tensor in images.tensors]
    return [type(images).__name__, len(images)]
