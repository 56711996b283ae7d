"""Train a small timm image model on still digits: the teacher of the moving-digits videos.

It sees single images only, composed as the videos' frames are, and of the training scans alone. The weights are saved
as an ordinary checkpoint (a plain ``state_dict``), with a config beside it that says how the teacher wants to be fed,
and with a vector per digit, the mean of the features of its scans, for zero-shot classification.

    python tools/data/make_digit_teacher.py data/digit_teacher
"""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import torch
from make_moving_digits import compose, draw_colour, draw_texture, load_scans

IMAGE_SIZE = 48  # pixels
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)

CONFIG = """# Written by tools/data/make_digit_teacher.py: {accuracy:.1%} of still test digits are right.
teacher = dict(
    type='TimmTeacher',
    model='{model}',
    checkpoint='{checkpoint}',
    model_args=dict(num_classes=10),
    mean={mean},
    std={std},
    input_size={size},
    name='digits')
"""


def draw_stills(scans: np.ndarray, rng: np.random.Generator, textures: np.ndarray) -> np.ndarray:
    """Compose each scan once at a random place and width: uint8 ``(N, S, S, 3)``."""
    images = np.empty((len(scans), IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    for image, scan in zip(images, scans):
        texture = textures[rng.integers(len(textures))]
        texture = texture[::rng.choice([-1, 1]), ::rng.choice([-1, 1])]
        if rng.random() < 0.5:
            texture = texture.transpose(1, 0, 2)
        place = (*rng.uniform(12, IMAGE_SIZE - 12, 2), np.exp(rng.uniform(np.log(14), np.log(36))))
        image[:] = compose(scan, place, np.ascontiguousarray(texture[..., rng.permutation(3)]), draw_colour(rng))
        if rng.random() < 0.5:
            image[:] = 255 - image
    return images


def to_batch(images: np.ndarray) -> torch.Tensor:
    """uint8 ``(N, S, S, 3)`` to normalised float32 ``(N, 3, S, S)``."""
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    return (batch - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def train(model: torch.nn.Module, epochs: int, batch_size: int, lr: float, seed: int) -> float:
    """Train on fresh compositions every epoch; returns the accuracy on still digits of the test scans."""
    rng = np.random.default_rng([seed, 7])
    textures = np.stack([draw_texture(rng, IMAGE_SIZE) for _ in range(400)])
    parts = load_scans(seed)
    scans, digits = parts['train']
    steps = epochs * -(-len(scans) // batch_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps, pct_start=0.2)
    start = shown = time.time()
    for epoch in range(epochs):
        order = rng.permutation(len(scans))
        images = to_batch(draw_stills(scans[order], rng, textures))
        labels = torch.from_numpy(digits[order])
        model.train()
        for begin in range(0, len(order), batch_size):
            part = slice(begin, begin + batch_size)
            loss = torch.nn.functional.cross_entropy(model(images[part]), labels[part], label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        if time.time() - shown > 3:
            shown = time.time()
            left = (shown - start) / (epoch + 1) * (epochs - epoch - 1)
            print(f'  epoch {epoch + 1} of {epochs}, loss {loss.item():.3f}, about {left:.0f} s left', flush=True)
    model.eval()
    scans, digits = parts['test']
    test_textures = np.stack([draw_texture(rng, IMAGE_SIZE) for _ in range(100)])
    with torch.inference_mode():
        guess = model(to_batch(draw_stills(scans, rng, test_textures))).argmax(1).numpy()
    return float((guess == digits).mean())


@torch.inference_mode()
def class_vectors(model: torch.nn.Module, seed: int) -> np.ndarray:
    """Per digit the mean of the unit feature vectors of its training scans, each composed once: ``(10, D)``."""
    rng = np.random.default_rng([seed, 8])
    textures = np.stack([draw_texture(rng, IMAGE_SIZE) for _ in range(100)])
    scans, digits = load_scans(seed)['train']
    features = model.forward_head(model.forward_features(to_batch(draw_stills(scans, rng, textures))), pre_logits=True)
    units = torch.nn.functional.normalize(features, dim=1).numpy()
    return np.stack([units[digits == digit].mean(0) for digit in range(10)])


def make(out: Path, model_name: str = 'test_resnet', epochs: int = 20, seed: int = 0) -> bool:
    """Train and save ``teacher.pth``, ``teacher.py`` and ``classes.npy`` in ``out``, all or none.

    Returns:
        False when ``out`` already holds a teacher (it is then left as it is).
    """
    import timm

    if (out / 'teacher.py').is_file():
        return False
    if out.exists():
        raise FileExistsError(f'{out} exists but holds no teacher.py: remove it or name another folder')
    partial = out.with_name(f'{out.name}.partial')
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    torch.manual_seed(seed)
    start = time.time()
    model = timm.create_model(model_name, num_classes=10)
    accuracy = train(model, epochs, batch_size=64, lr=3e-3, seed=seed)
    torch.save(dict(state_dict=model.state_dict()), partial / 'teacher.pth')
    np.save(partial / 'classes.npy', class_vectors(model, seed))
    text = CONFIG.format(accuracy=accuracy, model=model_name, mean=MEAN, std=STD, size=IMAGE_SIZE,
                         checkpoint=(out / 'teacher.pth').resolve().as_posix())
    (partial / 'teacher.py').write_text(text)
    os.replace(partial, out)
    print(f'{out}: {model_name}, {accuracy:.1%} of still test digits right, {time.time() - start:.0f} s')
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=Path)
    parser.add_argument('--model', default='test_resnet', help='any timm model that takes 48 x 48 images')
    parser.add_argument('--epochs', type=int, default=20)
    parser.add_argument('--seed', type=int, default=0, help='seed of the videos: both split the scans by it')
    args = parser.parse_args()
    try:
        if not make(args.out, args.model, args.epochs, args.seed):
            print(f'{args.out}: already there')
    except FileExistsError as error:
        sys.exit(str(error))


if __name__ == '__main__':
    main()
