"""A small tree of the shape of ImageNet-Vid-Robust: 1000 classes, of which 4 count as 3 of the benchmark's."""

import json
from pathlib import Path

import cv2
import numpy as np

FINE = {'n5': ('n5', 'tabby'), 'n7': ('n7', 'husky'), 'n8': ('n8', 'collie'), 'n9': ('n9', 'sorrel')}
COARSE = ['n20', 'n21', 'n22']
SAME = {'n5': 'n20', 'n7': 'n21', 'n8': 'n21', 'n9': 'n22'}


def write_tree(root: Path, frames: dict[str, np.ndarray], sets: dict[str, list[str]], labels: dict[str, list[int]],
               fine: tuple[int, ...], classes: int) -> None:
    """Pictures uint8 (H, W, 3) by their path; `fine` are the places of the four classes among all."""
    for name, frame in frames.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / name), frame[..., ::-1])
    index = {str(number): [f'x{number}', f'other {number}'] for number in range(classes)}
    index.update({str(place): list(FINE[synset]) for place, synset in zip(fine, FINE, strict=True)})
    vid = {str(number): [synset, synset] for number, synset in enumerate(COARSE)}
    for name, content in (('metadata/pmsets', sets), ('metadata/labels', labels), ('misc/wnid_map', SAME),
                          ('misc/imagenet_class_index', index), ('misc/imagenet_vid_class_index', vid)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / f'{name}.json').write_text(json.dumps(content))
