"""Write labelled pictures: handwritten digits over textures, the images beside the videos of moving digits.

Each of scikit-learn's scans once, composed as a frame of tools/data/make_moving_digits.py: the training scans of its
videos in OUT/train, the others in OUT/test, a folder for each digit.

    python tools/data/make_still_digits.py data/still_digits
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

import numpy as np
from make_digit_teacher import IMAGE_SIZE, draw_stills
from make_moving_digits import draw_texture, load_scans
from PIL import Image


def make(out: Path, seed: int = 0, limit: int | None = None) -> bool:
    """Write all pictures, or the first ``limit`` of each part, or none.

    Returns:
        False when ``out`` is there already (it is then left as it is).
    """
    if out.exists():
        return False
    partial = out.with_name(f'{out.name}.partial')
    shutil.rmtree(partial, ignore_errors=True)
    for part, (scans, digits) in load_scans(seed).items():
        rng = np.random.default_rng([seed, 9, part == 'test'])
        textures = np.stack([draw_texture(rng, IMAGE_SIZE) for _ in range(200)])
        for number, (picture, digit) in enumerate(zip(draw_stills(scans[:limit], rng, textures), digits)):
            folder = partial / part / str(digit)
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(folder / f'{number:04d}.png')
    os.replace(partial, out)
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=Path)
    parser.add_argument('--seed', type=int, default=0, help='seed of the videos: both split the scans by it')
    args = parser.parse_args()
    if not make(args.out, args.seed):
        print(f'{args.out}: already there', file=sys.stderr)


if __name__ == '__main__':
    main()
