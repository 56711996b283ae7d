"""Draws what each person does onto a video: boxes and actions, by a trained action detector.

    python tools/detect_actions.py VIDEO work_dirs/finetune_ava/epoch_32.pth --out out.mp4
    python tools/detect_actions.py VIDEO CKPT --config CONFIG --persons persons.csv --out out.mp4

At each full second the persons are found, by torchvision's Faster R-CNN (COCO; its weights are downloaded once) or in a
file of AVA's form that names the video, and the detector sees the clip around it. Boxes are drawn from half a second
before to half a second after. The config is the one beside the checkpoint, unless another is named; names of actions
come from its evaluator's list.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import iboot_mm  # noqa: F401  (before any config is read)

import numpy as np
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope
from torch import nn

from iboot_mm.datasets import UnreadableVideo, open_video
from iboot_mm.datasets.ava_files import Persons, read_class_names, read_persons
from iboot_mm.interruption import one_line_when_stopped
from iboot_mm.visualization.actions import draw_actions, write_frames
from iboot_mm.weights.state_dicts import load_strictly, read_state_dict

CHUNK = 64  # frames in memory
PERSON = 1  # of COCO's classes


def find_persons(video: Path, confidence: float) -> dict[int, Persons]:
    """Persons at each full second, by torchvision's detector.

    Raises:
        ValueError: its weights are not there and cannot be downloaded.
    """
    from torchvision.models.detection import FasterRCNN_ResNet50_FPN_V2_Weights, fasterrcnn_resnet50_fpn_v2

    try:
        network = fasterrcnn_resnet50_fpn_v2(weights=FasterRCNN_ResNet50_FPN_V2_Weights.DEFAULT).eval()
    except OSError as error:
        raise ValueError(f"torchvision's person detector cannot be downloaded ({error}): give persons in AVA's form "
                         'with --persons') from error
    network.to('cuda' if torch.cuda.is_available() else 'cpu')
    found = {}
    for second, frame in frames_at_seconds(video):
        picture = torch.from_numpy(frame).to(next(network.parameters()).device).permute(2, 0, 1) / 255
        with torch.no_grad():
            result = {key: value.cpu().double().numpy() for key, value in network([picture])[0].items()}
        chosen = (result['labels'] == PERSON) & (result['scores'] > confidence)
        if chosen.any():
            size = np.tile(frame.shape[1::-1], 2)
            found[second] = Persons(result['boxes'][chosen] / size, result['scores'][chosen])
    return found


def frames_at_seconds(video: Path) -> Iterator[tuple[int, np.ndarray]]:
    """The frames at full seconds."""
    with open_video(str(video), 'pyav') as reader:
        for second in range(int((reader.num_frames - 1) / reader.fps) + 1):
            yield second, reader.read([min(round(second * reader.fps), reader.num_frames - 1)])[0]


def load_detector(cfg: Config, checkpoint: Path) -> nn.Module:
    """The detector with all of its weights.

    Raises:
        ValueError: the config's model is no action detector, or the file does not fit it.
    """
    if cfg.model.type != 'ActionDetector':
        raise ValueError(f'the config trains a {cfg.model.type}, not an ActionDetector: name one such as '
                         'configs/baselines/downstream/finetune_ava.py')
    model = MODELS.build(cfg.model).eval()
    load_strictly(model, read_state_dict(checkpoint, ()), str(checkpoint))
    return model.to('cuda' if torch.cuda.is_available() else 'cpu')


@torch.no_grad()
def detect(model: nn.Module, pipeline: Compose, video: Path, persons: dict[int, Persons]) -> dict[int, np.ndarray]:
    """Scores (N, num_classes) of the persons at each second."""
    found = {}
    for second, (boxes, scores) in sorted(persons.items()):
        sample = pipeline(dict(filename=str(video), video_id=video.stem, timestamp=second, second=second, sample_idx=0,
                               labels={}, boxes=boxes, person_scores=scores))
        result = model.test_step(pseudo_collate([sample]))[0]
        found[second] = result.pred_instances.scores.cpu().numpy()
        print(f'\rsecond {second}: {len(boxes)} persons ', end='', file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return found


def drawn_frames(video: Path, persons: dict[int, Persons], scores: dict[int, np.ndarray], names: dict[int, str],
                 least: float, most: int) -> Iterator[np.ndarray]:
    """All frames of the video with the boxes of the nearest second."""
    lines = {second: [action_lines(row, names, least, most) for row in of_second]
             for second, of_second in scores.items()}
    with open_video(str(video), 'pyav') as reader:
        for start in range(0, reader.num_frames, CHUNK):
            indices = range(start, min(start + CHUNK, reader.num_frames))
            for index, frame in zip(indices, reader.read(list(indices)), strict=True):
                second = int(index / reader.fps + .5)
                boxes = persons[second].boxes if second in lines else np.empty((0, 4))
                yield draw_actions(frame, boxes, lines.get(second, []))


def action_lines(scores: np.ndarray, names: dict[int, str], least: float, most: int) -> list[str]:
    """The likeliest actions of one person, likeliest first."""
    ranked = sorted(((scores[number - 1], name) for number, name in names.items()), reverse=True)
    return [f'{name} {score:.2f}' for score, name in ranked[:most] if score >= least]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('video', type=Path)
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('--config', type=Path, help='default: the one beside the checkpoint')
    parser.add_argument('--persons', type=Path, help="detected persons in AVA's form; default: torchvision's detector")
    parser.add_argument('--classes', type=Path, help="list of the actions' names; default: the evaluator's")
    parser.add_argument('--out', type=Path, required=True, help='the video to write (.mp4)')
    parser.add_argument('--confidence', type=float, default=.8, help='of a person')
    parser.add_argument('--least', type=float, default=.3, help='score of an action that is written')
    parser.add_argument('--most', type=int, default=3, help='actions of a person')
    args = parser.parse_args()
    beside = sorted(args.checkpoint.parent.glob('*.py'))
    args.config = args.config or (beside[0] if len(beside) == 1 else None)
    if args.config is None:
        parser.error(f'beside {args.checkpoint} is not one config: name it with --config')
    for file in (args.video, args.checkpoint, args.config):
        if not file.is_file():
            parser.error(f'there is no file {file}')
    return args


@one_line_when_stopped(goes_on=False)
def main() -> None:
    args = parse_args()
    try:
        cfg = Config.fromfile(args.config)
        init_default_scope('mmaction')
        model = load_detector(cfg, args.checkpoint)
        names = read_class_names(args.classes or cfg.test_evaluator.class_file)
        if args.persons:
            known = read_persons(args.persons, args.confidence)
            start = int(cfg.test_dataloader.dataset.get('start', 0))
            persons = {second - start: found for (name, second), found in known.items() if name == args.video.stem}
            if not persons:
                raise ValueError(f'{args.persons} has no person of more than {args.confidence} in a video called '
                                 f'{args.video.stem}')
        else:
            persons = find_persons(args.video, args.confidence)
        scores = detect(model, Compose(cfg.test_dataloader.dataset.pipeline), args.video, persons)
        with open_video(str(args.video), 'pyav') as reader:
            fps = reader.fps
        write_frames(args.out, drawn_frames(args.video, persons, scores, names, args.least, args.most), fps)
    except (OSError, ValueError, UnreadableVideo) as error:
        sys.exit(str(error))
    print(f'{args.out}: {sum(map(len, scores.values()))} boxes at {len(scores)} seconds')


if __name__ == '__main__':
    main()
