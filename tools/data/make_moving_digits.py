"""Write a small video data set: handwritten digits that move over textures.

scikit-learn's 1,797 real scans (8 x 8) are scaled up smoothly, and each moves through one H.264 video of its own. Every
video has two labels: the digit (10; appearance) and the motion (8). Motions come in pairs of which one is the other
played backwards, so their frames are alike and only the order tells them apart. Texture, colours, brightness and place
are drawn per video, so raw pixels say little.

    python tools/data/make_moving_digits.py data/moving_digits
"""

import argparse
import json
import os
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np

VERSION = 1
FRAME_SIZE = 64  # pixels
NUM_FRAMES = 32
FPS = 16
MOTIONS = ('right', 'left', 'down', 'up', 'clockwise', 'counterclockwise', 'grow', 'shrink')
SETTINGS = dict(version=VERSION, frame_size=FRAME_SIZE, num_frames=NUM_FRAMES, fps=FPS, motions=list(MOTIONS))


def load_scans(seed: int = 0, test_share: float = 0.2) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Split the scans, digit by digit, into two sets that share none.

    Returns:
        ``{'train': (scans, digits), 'test': (scans, digits)}``; scans are float32 ``(N, 8, 8)`` in [0, 1], digits
        int64 ``(N,)``.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    scans = (digits.images / 16).astype(np.float32)
    parts = train_test_split(scans, digits.target, test_size=test_share, random_state=seed, stratify=digits.target)
    return dict(train=(parts[0], parts[2]), test=(parts[1], parts[3]))


def draw_texture(rng: np.random.Generator, size: int = FRAME_SIZE) -> np.ndarray:
    """Two colours blended by gratings and smooth noise: float32 ``(size, size, 3)`` in [0, 0.65]."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    blend = np.zeros((size, size), np.float32)
    for _ in range(rng.integers(1, 4)):
        angle, period = rng.uniform(0, np.pi), rng.uniform(6, 28)
        blend += np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period + rng.uniform(0, 2 * np.pi))
    for cells in (4, 8, 16):
        noise = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        blend += rng.uniform(0.2, 0.8) * cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
    blend = 1 / (1 + np.exp(-blend * rng.uniform(0.6, 1.6)))
    first, second = rng.uniform(0, 0.55, (2, 3))
    return ((first + blend[..., None] * (second - first)) * rng.uniform(0.6, 1.18)).astype(np.float32)


def draw_path(motion: str, rng: np.random.Generator, num_frames: int = NUM_FRAMES,
              size: int = FRAME_SIZE) -> np.ndarray:
    """Centre and width of the digit in each frame, in pixels: ``(num_frames, 3)`` as (x, y, width)."""
    index = MOTIONS.index(motion)
    time_ = np.linspace(-1, 1, num_frames) * rng.uniform(0.8, 1)
    width = np.full(num_frames, rng.uniform(22, 30))
    reach = rng.uniform(8, 12)
    middle = size / 2 + rng.uniform(-1, 1, 2) * (size / 2 - 14 - reach)
    x, y = np.full(num_frames, middle[0]), np.full(num_frames, middle[1])
    if index < 2:
        x = x + reach * time_
    elif index < 4:
        y = y + reach * time_
    elif index < 6:
        angle = rng.uniform(0, 2 * np.pi) + np.pi * 1.25 * time_
        x, y = x + reach * np.cos(angle), y + reach * np.sin(angle)  # y points down, so the angle grows clockwise
    else:
        width = width * np.exp(0.4 * time_)
    path = np.stack([x, y, width], 1)
    return path[::-1].copy() if index % 2 else path


def compose(scan: np.ndarray, place: np.ndarray, texture: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Lay one scan over a texture.

    Args:
        scan: ``(8, 8)`` ink in [0, 1].
        place: (x, y, width) in pixels.
        texture: ``(S, S, 3)`` in [0, 1].
        colour: ``(3,)`` in [0, 1].

    Returns:
        uint8 ``(S, S, 3)``.
    """
    x, y, width = place
    scale = width / scan.shape[1]
    # Pixel centres: column u of the scan lands on x + (u - 3.5) * scale.
    matrix = np.array([[scale, 0, x - 3.5 * scale - 0.5], [0, scale, y - 3.5 * scale - 0.5]], np.float32)
    size = (texture.shape[1], texture.shape[0])
    ink = cv2.warpAffine(scan, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
    ink = np.clip(ink * 1.1, 0, 1)[..., None]
    return np.rint(np.clip(texture + ink * (colour - texture), 0, 1) * 255).astype(np.uint8)


def draw_colour(rng: np.random.Generator) -> np.ndarray:
    """A light colour for the ink: ``(3,)`` in [0.55, 1], its brightest channel at least 0.85."""
    colour = rng.uniform(0.55, 1, 3)
    colour[rng.integers(3)] = rng.uniform(0.85, 1)
    return colour


def render(scan: np.ndarray, motion: str, rng: np.random.Generator) -> np.ndarray:
    """All frames of one video: uint8 ``(NUM_FRAMES, FRAME_SIZE, FRAME_SIZE, 3)``, RGB."""
    texture, colour, path = draw_texture(rng), draw_colour(rng), draw_path(motion, rng)
    # Light that drifts: the same factor for ink and texture, up to 15 % over the video, up or down.
    light = 1 + rng.uniform(-0.15, 0.15) * np.linspace(-1, 1, len(path))
    frames = np.stack([compose(scan, p, texture * s, np.minimum(colour * s, 1)) for p, s in zip(path, light)])
    return 255 - frames if rng.random() < 0.5 else frames  # dark ink on a light texture as often as the other way round


def write_video(frames: np.ndarray, path: Path) -> None:
    """Encode ``(T, H, W, 3)`` uint8 RGB frames as H.264 in an mp4 file."""
    import av

    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=FPS)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = 'yuv420p'
        # x264's macroblock tree gives other bytes from run to run, on one thread too.
        stream.options = {'crf': '20', 'preset': 'veryfast', 'x264-params': 'mbtree=0'}
        stream.codec_context.thread_count = 1  # the same bytes on any machine, and the videos fill the cores
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format='rgb24')))
        container.mux(stream.encode())


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def _write_one(job: tuple[Path, np.ndarray, str, list[int]]) -> None:
    path, scan, motion, seed = job
    cv2.setNumThreads(0)
    write_video(render(scan, motion, np.random.default_rng(seed)), path)


def plan(root: Path, seed: int, limit: int | None) -> tuple[list[tuple], dict[str, list[str]]]:
    """The jobs to run and the lines of both lists; motions are dealt evenly within each digit."""
    jobs, lists = [], {}
    for part, (role, (scans, digits)) in enumerate(load_scans(seed).items()):
        lists[role] = []
        seen = np.zeros(10, int)
        for number, (scan, digit) in enumerate(list(zip(scans, digits))[:limit]):
            motion = int(seen[digit] + digit) % len(MOTIONS)
            seen[digit] += 1
            name = f'{role}/digit_{digit}/{number:04d}_{MOTIONS[motion]}.mp4'
            jobs.append((root / name, scan, MOTIONS[motion], [seed, part, number]))
            lists[role].append(f'{name} {digit} {motion}')
    return jobs, lists


def _run(jobs: list[tuple], workers: int) -> None:
    for folder in {job[0].parent for job in jobs}:
        folder.mkdir(parents=True)
    start = shown = time.time()
    with ProcessPoolExecutor(workers) as pool:
        for done, _ in enumerate(pool.map(_write_one, jobs, chunksize=16), 1):
            if time.time() - shown > 3:
                shown = time.time()
                left = (shown - start) / done * (len(jobs) - done)
                print(f'  {done} of {len(jobs)} videos, about {left:.0f} s left', flush=True)


README = """# Moving digits

{train} training and {test} test videos, {frame_size} x {frame_size} pixels, {num_frames} frames at {fps} per second,
H.264. Written by tools/data/make_moving_digits.py (version {version}, seed {seed}); the scans are scikit-learn's
`load_digits`, and no scan is in both parts.

`train.txt` and `test.txt`: `path digit motion`. Motions by number: {names}.
Each even motion and the odd one after it are the same kind of path in opposite order.
"""


def make(out: Path, seed: int = 0, workers: int | None = None, limit: int | None = None) -> bool:
    """Write the data set to ``out``, whole or not at all.

    Args:
        out: Folder to make.
        seed: Seed of split, textures, colours and paths.
        workers: Processes; all cores by default.
        limit: Videos per part, for tests; all by default.

    Returns:
        False when ``out`` already holds this very set (it is then left as it is).

    Raises:
        FileExistsError: ``out`` holds something else.
    """
    settings = dict(SETTINGS, seed=seed, limit=limit)
    if out.exists():
        metadata = out / 'metadata.json'
        if metadata.is_file() and json.loads(metadata.read_text()).get('settings') == settings:
            return False
        raise FileExistsError(f'{out} exists but is not the data set that these settings make: remove it or name '
                              'another folder')
    partial = out.with_name(f'{out.name}.partial')
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    jobs, lists = plan(partial, seed, limit)
    _run(jobs, workers or num_cores())
    for role, lines in lists.items():
        (partial / f'{role}.txt').write_text('\n'.join(lines) + '\n')
    counts = {role: len(lines) for role, lines in lists.items()}
    names = ', '.join(f'{i} {name}' for i, name in enumerate(MOTIONS))
    (partial / 'README.md').write_text(README.format(**SETTINGS, **counts, seed=seed, names=names))
    labels = dict(digit=[str(i) for i in range(10)], motion=list(MOTIONS))
    (partial / 'metadata.json').write_text(json.dumps(dict(settings=settings, counts=counts, labels=labels), indent=1))
    os.replace(partial, out)  # whole or not at all: a killed run leaves only the .partial folder
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=Path)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--workers', type=int, default=None, help='processes (default: all cores)')
    args = parser.parse_args()
    try:
        print(f'{args.out}: written' if make(args.out, args.seed, args.workers) else f'{args.out}: already there')
    except FileExistsError as error:
        sys.exit(str(error))


if __name__ == '__main__':
    main()
