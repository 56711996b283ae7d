"""How stable a classifier's predictions are over neighbouring frames: ImageNet-Vid-Robust's measure (VIVI, table 3).

    python tools/frame_stability.py OUT/classifiers/NAME_TASK-RUN.pth --videos DIR --list LIST
    python tools/frame_stability.py epoch_100.pth --config CONFIG --videos DIR --list LIST --anchors --out results.json
    python tools/frame_stability.py epoch_100.pth --config CONFIG --benchmark imagenet-vid-robust

The classifier is one that tools/transfer.py --save wrote, a co-trained VIVI, or a recognizer with a linear head. The
list has lines `path label`, and the middle frame of each video is its anchor; with --anchors lines `path label frame`,
frames counted from 0, a video as often as it has anchors. A label is the class's index: for folders of images, their
place in the order of names. Where the list has coarser classes than the classifier, as ImageNet-Vid-Robust has 30 for
ImageNet's, --class-map is a file with a line for each class of the classifier: the label that it counts as, or - for
none; the best class of those that have one is then the prediction. Folders of frames are opened with --decoder frames.

--benchmark is ImageNet-Vid-Robust as published, a folder with val, metadata and misc: its anchors, the neighbours that
people reviewed, one or several labels of each frame, and its map of ImageNet's 1000 classes to 30, for a classifier of
those 1000 (one of 30 needs no map; --class-map takes the place of either). Or it is YTBB-Robust, of 24 classes: a
folder with ytbb_videos as published, and as metadata what wise-ft calls ytbb-robust_metadata.

Printed: accuracy on the anchors; PM-k accuracy, for which every frame up to --radius before and after the anchor must
be right; their difference; 95 % Clopper-Pearson intervals; how many videos are cut off or can't be read.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import iboot_mm  # noqa: F401  (before any config is read)

import numpy as np
import torch
from mmengine.device import get_device
from mmengine.registry import init_default_scope

from iboot_mm.stores.atomic_files import AtomicLocalBackend
from iboot_mm.datasets.benchmarks import vid_robust, ytbb_robust
from iboot_mm.datasets.decoders.base import get_decoder
from iboot_mm.datasets.listing import read_list, VIDEO_EXTENSIONS
from iboot_mm.evaluation.images.few_label_training import apply
from iboot_mm.evaluation.images.frame_classifier import LoadedClassifier
from iboot_mm.evaluation.images.frame_stability import (
    Anchor, Verdicts, judge, judge_reviewed, summarise_stability)
from iboot_mm.interruption import one_line_when_stopped


def read_anchors(file: str, root: str, with_frames: bool, known: set[int]) -> list[Anchor]:
    """The anchors of a list.

    Args:
        file: The list.
        root: Folder that its paths are relative to.
        with_frames: Whether its lines have a third column.
        known: The labels that can be predicted.

    Raises:
        FileNotFoundError: no such list, or none of its files is there.
        ValueError: a bad line, or a label that is never predicted.
    """
    entries = read_list(file, root, ('label', 'frame') if with_frames else None, VIDEO_EXTENSIONS)
    if 'label' not in entries[0][1]:
        raise ValueError(f"'{file}' has no labels: predictions are compared with those of lines 'path label'")
    for path, labels in entries:
        if labels['label'] not in known:
            raise ValueError(f"'{file}': {path} is of class {labels['label']}, which the classifier does not know: "
                             'give its own numbers, or a --class-map')
    return [Anchor(path, **labels) for path, labels in entries]


def read_class_map(file: str | None, num_classes: int) -> torch.Tensor:
    """The label of each class, int64 ``(num_classes,)``; -1 for none. Without a file, a class is its own label.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it does not have a label or - for each class, or only -.
    """
    if file is None:
        return torch.arange(num_classes)
    words = Path(file).read_text().split()
    if len(words) != num_classes or not all(word == '-' or word.isdecimal() for word in words) or {*words} == {'-'}:
        raise ValueError(f'{file} must have {num_classes} lines, one for each class of the classifier: a label or -')
    return torch.tensor([-1 if word == '-' else int(word) for word in words])


def judge_benchmark(folder: str, decoder: str, own_map: bool, num_classes: int,
                    predict: Callable[..., list[int]]) -> Verdicts:
    """Verdicts on the reviewed sets of ImageNet-Vid-Robust or YTBB-Robust.

    Args:
        folder: As published.
        decoder: What opens a frame.
        own_map: Whether a --class-map is given, which then holds.
        num_classes: Of the classifier.
        predict: Labels of frames; ``label_of`` is the label of each class, or -1.

    Raises:
        FileNotFoundError: a file of the benchmark is missing.
        ValueError: see :mod:`~iboot_mm.datasets.benchmarks.vid_robust` and its neighbour, or a classifier of other
            classes.
    """
    ytbb = os.path.isdir(os.path.join(folder, ytbb_robust.VIDEOS))
    lists = ytbb_robust if ytbb else vid_robust
    sets = lists.read_reviewed_sets(folder)
    if own_map:
        return judge_reviewed(sets, predict, decoder)
    coarse = lists.read_class_map(folder)
    if num_classes == max(coarse.values()) + 1:
        coarse = {number: number for number in range(num_classes) if not (ytbb and number == ytbb_robust.NONE)}
    if max(coarse) >= num_classes:
        raise ValueError(f'the benchmark maps class {max(coarse)}, but the classifier has {num_classes}: take one of '
                         'ImageNet, or give a --class-map')
    label_of = torch.tensor([coarse.get(number, -1) for number in range(num_classes)])
    return judge_reviewed(sets, partial(predict, label_of=label_of), decoder)


def format_results(results: dict) -> str:
    """The results in words."""
    k = results['radius']
    lines = [f"{results['anchors']} anchor frames, {results['cut']} videos cut off, {len(results['left_out'])} anchors "
             'left out']
    for name, title in (('accuracy', 'accuracy'), ('perturbed', f'PM-{k} accuracy')):
        value, (low, high) = results[name]['value'], results[name]['interval']
        lines.append(f'{title:16} {100 * value:5.1f} %  [{100 * low:.1f}, {100 * high:.1f}]')
    lines.append(f"{'difference':16} {100 * results['difference']:5.1f}")
    return '\n'.join(lines + [f'  left out: {path}: {reason}' for path, reason in results['left_out']])


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', help='the classifier')
    parser.add_argument('--config', help='what it was trained with, where that is not beside it')
    parser.add_argument('--videos', help='folder that the paths of the list are relative to')
    parser.add_argument('--list', help='lines `path label` or, with --anchors, `path label frame`')
    parser.add_argument('--anchors', action='store_true', help='the list names the anchor frames')
    parser.add_argument('--benchmark', help='folder of ImageNet-Vid-Robust or YTBB-Robust, for --videos and --list')
    parser.add_argument('--decoder', help="of the videos, such as `frames` (default: auto; of a benchmark's: picture)")
    parser.add_argument('--class-map', help="file that says which label each of the classifier's classes counts as")
    parser.add_argument('--radius', type=int, default=10, help='k, frames (default: %(default)s)')
    parser.add_argument('--out', type=Path, help='JSON file for the figures and every prediction')
    parser.add_argument('--device', default='auto', help='such as cuda:1')
    args = parser.parse_args()
    if bool(args.benchmark) == bool(args.videos and args.list) or args.benchmark and (args.videos or args.list):
        parser.error('give --videos and --list, or --benchmark')
    return args


@one_line_when_stopped(goes_on=False)
def main() -> None:
    args = parse_args()
    init_default_scope('mmaction')
    device = torch.device(get_device() if args.device == 'auto' else args.device)
    try:
        classifier = LoadedClassifier(args.checkpoint, args.config)
        classifier.net.to(device)
        label_of = read_class_map(args.class_map, classifier.num_classes)

        def predict(frames: Sequence[np.ndarray], label_of: torch.Tensor = label_of) -> list[int]:
            images = torch.stack([classifier.prepare(frame) for frame in frames])
            logits = apply(classifier.net, images, device).cpu()
            labels = label_of[logits.masked_fill(label_of < 0, -torch.inf).argmax(1)]
            return labels.masked_fill(~logits.isfinite().all(1), -1).tolist()  # argmax would take one that is NaN

        get_decoder(args.decoder or 'auto')
        if args.benchmark:
            verdicts = judge_benchmark(os.path.expanduser(args.benchmark), args.decoder or 'picture',
                                       args.class_map is not None, classifier.num_classes, predict)
        else:
            anchors = read_anchors(args.list, os.path.expanduser(args.videos), args.anchors, set(label_of.tolist()))
            verdicts = judge(anchors, predict, args.radius, args.decoder or 'auto')
        if not verdicts.judged:
            raise ValueError('no anchor frame could be judged, the first is of {}: {}'.format(*verdicts.left_out[0]))
        results = dict(summarise_stability(verdicts.judged), radius=args.radius, cut=len(verdicts.cut),
                       left_out=verdicts.left_out)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    if args.out is not None:
        AtomicLocalBackend().put_text(json.dumps(dict(results, judged=verdicts.judged), indent=1), args.out)
    print(format_results(results))


if __name__ == '__main__':
    main()
