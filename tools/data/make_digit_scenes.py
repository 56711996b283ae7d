"""Write a small stand-in for AVA and Charades: scenes in which several handwritten digits come, move and go.

What make_moving_digits.py moves one by one is here two or three to a scene, each in a quarter of its own, and to be
seen for a part of the time. Which digit it is and how it moves are its labels (18), as a person has several actions.

    python tools/data/make_digit_scenes.py data/digit_scenes

As AVA's files: {train,val}.csv with the boxes of what is to be seen at each full second, persons_val.csv with
detections as of a person detector (moved a little; some miss, some are of nothing and mostly unsure), classes.pbtxt,
excluded_val.csv. As Charades': {train,test}_activities.csv with each label's seconds. No scan is in both parts.
"""

import argparse
import os
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from make_moving_digits import (FPS, MOTIONS, compose, draw_colour, draw_path, draw_texture, load_scans, num_cores,
                                write_video)

SIZE, NUM_FRAMES = 96, 64  # pixels, frames
SHORTEST = 28  # frames that a digit is to be seen
SCENES = dict(train=400, test=150)
CLASSES = (*(f'digit {digit}' for digit in range(10)), *MOTIONS)
SECONDS = range(1, NUM_FRAMES // FPS)  # key frames


def draw_scene(scans: np.ndarray, digits: np.ndarray, rng: np.random.Generator) -> list[dict]:
    """What is in a scene: the scan, its two labels, the frames from `first` to before `last`, its path (T, 3)."""
    corners = rng.permutation([(x, y) for x in (0, SIZE // 2) for y in (0, SIZE // 2)])
    parts = []
    for corner in corners[:rng.integers(2, 4)]:
        number = rng.integers(len(scans))
        length = int(rng.integers(SHORTEST, NUM_FRAMES + 1))
        first = int(rng.integers(0, NUM_FRAMES - length + 1))
        motion = int(rng.integers(len(MOTIONS)))
        path = draw_path(MOTIONS[motion], rng, length, SIZE // 2)
        path[:, :2] += corner
        parts.append(dict(scan=scans[number], labels=(int(digits[number]), 10 + motion), first=first,
                          last=first + length, path=path, colour=draw_colour(rng)))
    return parts


def render_scene(parts: list[dict], rng: np.random.Generator) -> np.ndarray:
    """The frames of a scene: uint8 (NUM_FRAMES, SIZE, SIZE, 3), RGB."""
    texture = draw_texture(rng, SIZE)
    frames = []
    for t in range(NUM_FRAMES):
        frame = texture
        for part in parts:
            if part['first'] <= t < part['last']:
                frame = compose(part['scan'], part['path'][t - part['first']], frame, part['colour']) / np.float32(255)
        frames.append(np.rint(np.clip(frame, 0, 1) * 255).astype(np.uint8))
    return np.stack(frames)


def boxes_at(parts: list[dict], second: int) -> list[tuple[int, tuple[float, ...]]]:
    """`(number of the digit, box)` of all that are to be seen, boxes in shares of the picture and inside of it."""
    found = []
    for number, part in enumerate(parts):
        t = second * FPS - part['first']
        if 0 <= t < part['last'] - part['first']:
            x, y, width = part['path'][t]
            box = np.clip(np.array([x - width / 2, y - width / 2, x + width / 2, y + width / 2]) / SIZE, 0, 1)
            found.append((number, tuple(box.round(4).tolist())))
    return found


def detect(boxes: list[tuple[float, ...]], rng: np.random.Generator) -> list[tuple[tuple[float, ...], float]]:
    """Boxes and confidences as of a person detector."""
    found = [(box, rng.uniform(.82, 1)) for box in boxes if rng.random() < .95]
    for _ in range(rng.integers(0, 3)):
        corner = rng.uniform(0, .7, 2)
        found.append(((*corner, *(corner + .28)), rng.uniform(.05, .85)))
    return [(np.clip(np.array(box) + rng.normal(0, .01, 4), 0, 1).round(4).tolist(), round(float(confidence), 4))
            for box, confidence in found]


def annotate(name: str, parts: list[dict], rng: np.random.Generator) -> dict[str, list[str]]:
    """The lines of a scene: of AVA's annotations, of detected persons, and of Charades' annotations."""
    lines = dict(boxes=[], persons=[], activities=[])
    for second in SECONDS:
        found = boxes_at(parts, second)
        for number, box in found:
            lines['boxes'] += [f'{name},{second:04d},{",".join(map(str, box))},{label + 1},{number}'
                               for label in parts[number]['labels']]
        lines['persons'] += [f'{name},{second:04d},{",".join(map(str, box))},,{confidence}'
                             for box, confidence in detect([box for _, box in found], rng)]
    actions = ';'.join(f'c{label:03d} {part["first"] / FPS:.2f} {part["last"] / FPS:.2f}'
                       for part in parts for label in part['labels'])
    lines['activities'].append(f'{name},{actions},{NUM_FRAMES / FPS:.2f}')
    return lines


def _write_one(job: tuple[Path, list[dict], list[int]]) -> None:
    path, parts, seed = job
    cv2.setNumThreads(0)
    write_video(render_scene(parts, np.random.default_rng(seed)), path)


def make(out: Path, seed: int = 0, workers: int | None = None, limit: int | None = None) -> None:
    """Write the data set to ``out``, whole or not at all.

    Args:
        out: Folder to make.
        seed: Of everything that is drawn.
        workers: Processes; all cores by default.
        limit: Scenes per part, for tests; all by default.

    Raises:
        FileExistsError: ``out`` is there already.
    """
    if out.exists():
        raise FileExistsError(f'{out} exists: remove it or name another folder')
    partial = out.with_name(f'{out.name}.partial')
    shutil.rmtree(partial, ignore_errors=True)
    (partial / 'videos').mkdir(parents=True)
    jobs = []
    for number, (role, (scans, digits)) in enumerate(load_scans(seed).items()):
        rng, lines = np.random.default_rng([seed, number]), dict(boxes=[], persons=[], activities=[])
        for scene in range(limit or SCENES[role]):
            name, parts = f'{role}_{scene:04d}', draw_scene(scans, digits, rng)
            for kind, found in annotate(name, parts, rng).items():
                lines[kind] += found
            jobs.append((partial / 'videos' / f'{name}.mp4', parts, [seed, number, scene]))
        split = dict(train='train', test='val')[role]
        (partial / f'{split}.csv').write_text('\n'.join(lines['boxes']) + '\n')
        (partial / f'persons_{split}.csv').write_text('\n'.join(lines['persons']) + '\n')
        (partial / f'{role}_activities.csv').write_text('\n'.join(['id,actions,length', *lines['activities']]) + '\n')
    (partial / 'classes.pbtxt').write_text(''.join(
        f'item {{\n  name: "{name}"\n  id: {number}\n}}\n' for number, name in enumerate(CLASSES, 1)))
    (partial / 'excluded_val.csv').write_text('test_0000,0001\n')
    with ProcessPoolExecutor(workers or num_cores()) as pool:
        list(pool.map(_write_one, jobs, chunksize=8))
    os.replace(partial, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=Path)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--workers', type=int, default=None, help='processes (default: all cores)')
    args = parser.parse_args()
    try:
        make(args.out, args.seed, args.workers)
    except FileExistsError as error:
        sys.exit(str(error))
    print(f'{args.out}: written')


if __name__ == '__main__':
    main()
