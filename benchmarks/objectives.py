"""What a small student should be asked to do with a frozen image model's features: objectives on turntable fruit.

    python benchmarks/objectives.py FRUIT mobilenetv2_100_imagenet_fp16.pth --seeds 0,1,2
    python benchmarks/objectives.py FRUIT mobilenetv2_100_imagenet_fp16.pth --arms simclr,contrast_head --lr 5e-3
    python benchmarks/objectives.py FRUIT mobilenetv2_100_imagenet_fp16.pth --seeds 0,1,2 --jitter 0     own colours
    python benchmarks/objectives.py FRUIT mobilenetv2_100_imagenet_fp16.pth --arms '' --test     the first two rows

FRUIT holds `videos`, `train_variety.txt` and clips named REVOLUTION__START.mp4. Made for choosing, so the test list is
not touched: of every variety with several revolutions in the training list the last one is held out and its clips are
the queries; the other training clips are trained on and are the gallery. Videos and targets are in memory, which makes
an arm some 40 seconds of a core: the mini network (Slow R18, a quarter of the channels), clips of 2 frames, 8 apart, of
48 pixels, 10 epochs of 18 steps of 32 videos, two clips each, AdamW. Of each arm it prints k-NN (k = 20), the nearest
neighbour (R@1), k-NN of standardised features, a logistic regression on those, and the seconds of a core; and first of
all the same of a histogram of colours and of the image model, which are not trained. With --test the whole training
list is trained on and the test list holds the queries.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import timm
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

import iboot_mm  # noqa: F401  (registers the components)
from iboot_mm.datasets import open_video
from iboot_mm.evaluation.metrics.knn import knn_classify
from iboot_mm.models.losses.views import cosine_distance, nt_xent, target_info_nce
from iboot_mm.models.modules.projectors import MLP

FRAMES, GAP, SIZE, STORED = 2, 8, 48, 76  # of a clip; its pixels, and those of the stored videos
BATCH, EPOCHS, TEMPERATURE = 32, 10, .1
JITTER = .2  # brightness, contrast and saturation by up to this share, as in configs/mini/iboot_r18_folder.py
# objective, whether the student's map is an MLP that is thrown away or W, and how targets are normalised
ARMS = dict(
    simclr=('simclr', True, ''),
    cosine=('cosine', False, 'standardize'),  # this project's iBoot; the paper's has plain targets
    cosine_plain=('cosine', False, 'none'),
    cosine_whitened=('cosine', False, 'whiten'),
    cosine_head=('cosine', True, 'standardize'),
    contrast=('contrast', False, 'standardize'),
    contrast_head=('contrast', True, 'standardize'),
    relations_head=('relations', True, 'standardize'),  # soft contrast: as near to each target as the own one is
)
LUMA = torch.tensor([.299, .587, .114]).view(1, 3, 1, 1)
MEAN, STD = (torch.tensor(v).view(1, 3, 1, 1, 1) for v in ([.485, .456, .406], [.229, .224, .225]))


def read(root: Path, part: str = 'train') -> tuple[Tensor, Tensor, list[str]]:
    """A list's videos uint8 ``(N, 32, 3, 76, 76)``, their varieties ``(N,)`` and the revolution that each is of."""
    lines = [line.split() for line in (root / f'{part}_variety.txt').read_text().splitlines()]
    videos = []
    for path, _ in lines:
        with open_video(str(root / 'videos' / path)) as video:
            frames = torch.from_numpy(np.stack(list(video.read(range(32))))).permute(0, 3, 1, 2)
        videos.append(F.interpolate(frames, (STORED, STORED), mode='bilinear', antialias=True))
    return torch.stack(videos), torch.tensor([int(label) for _, label in lines]), [
        path.rsplit('__', 1)[0] for path, _ in lines]


def held_out(revolutions: list[str], labels: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Indices of what is trained on and of the queries."""
    of_variety: dict[int, list[str]] = {}
    for revolution, label in zip(revolutions, labels.tolist(), strict=True):
        if revolution not in of_variety.setdefault(label, []):
            of_variety[label].append(revolution)
    held = {names[-1] for names in of_variety.values() if len(names) > 1}
    query = np.array([revolution in held for revolution in revolutions])
    return np.flatnonzero(~query), np.flatnonzero(query)


def image_model(weights: Path) -> nn.Module:
    """ImageNet's MobileNetV2."""
    network = timm.create_model('mobilenetv2_100', pad_type='same', num_classes=1001).eval()
    state = torch.load(weights, weights_only=True)
    network.load_state_dict({key: v.float() if v.is_floating_point() else v for key, v in state.items()})
    return network


@torch.no_grad()
def features_of_frames(videos: Tensor, weights: Path, side: int = 96) -> Tensor:
    """What the image model says of every eighth frame, ``(N, 4, 1280)``."""
    network, found = image_model(weights), []
    for part in videos.split(8):
        frames = part[:, ::8, :, 4:72, 4:72].flatten(0, 1).float() / 255
        frames = F.interpolate(frames, (side, side), mode='bilinear', antialias=True) * 2 - 1
        found.append(network.forward_head(network.forward_features(frames), pre_logits=True).unflatten(0, (-1, 4)))
    return torch.cat(found)


def colours_of(videos: Tensor) -> Tensor:
    """Square roots of a histogram of 8 x 8 x 8 colours of the mean of every eighth frame's middle, ``(N, 512)``."""
    means = videos[:, ::8, :, 4:72, 4:72].float().mean(1) / 256
    bins = (means * 8).long()
    index = (bins[:, 0] * 8 + bins[:, 1]) * 8 + bins[:, 2]  # (N, 68, 68)
    return torch.stack([torch.bincount(video.flatten(), minlength=512) for video in index]).sqrt()


def normalized(features: Tensor, how: str) -> Tensor:
    """Targets of frames ``(N, T, D)``: as they are, standardised, or whitened in their 128 first directions."""
    if how == 'none':
        return features
    features = features - features.flatten(0, 1).mean(0)
    if how == 'standardize':
        variance = features.flatten(0, 1).var(0)
        return features / (variance + 1e-3 * variance.mean()).sqrt()
    _, size, directions = torch.linalg.svd(features.mean(1), full_matrices=False)
    return features @ directions[:128].T / (size[:128] / len(features) ** .5)


def clip(video: Tensor, rng: np.random.Generator | None, jitter: float = JITTER) -> Tensor:
    """A clip ``(3, T, 48, 48)`` in [0, 1]: a random one with random colours, or without a generator the middle one."""
    reach, least = (FRAMES - 1) * GAP, SIZE * 68 // 64
    start = 16 - reach // 2 if rng is None else rng.integers(0, 32 - reach)
    side = least if rng is None else int(rng.integers(least, SIZE * 84 // 64 + 1))
    frames = video[start:start + reach + 1:GAP].float() / 255
    frames = F.interpolate(frames, (side, side), mode='bilinear', antialias=rng is None)
    top, left = [(side - SIZE) // 2] * 2 if rng is None else rng.integers(0, side - SIZE + 1, 2)
    frames = frames[:, :, top:top + SIZE, left:left + SIZE]
    if rng is None:
        return frames.transpose(0, 1)
    frames = frames.flip(3) if rng.random() < .5 else frames
    if rng.random() < .8:
        brightness, contrast, saturation = rng.uniform(1 - jitter, 1 + jitter, 3)
        frames = (frames * brightness).clamp(0, 1)
        middle = (frames * LUMA).sum(1).mean()
        frames = ((frames - middle) * contrast + middle).clamp(0, 1)
        gray = (frames * LUMA).sum(1, keepdim=True)
        frames = ((frames - gray) * saturation + gray).clamp(0, 1)
    return frames.transpose(0, 1)


def batch_of(videos: Tensor, index: np.ndarray, rng: np.random.Generator | None = None,
             jitter: float = JITTER) -> Tensor:
    """Normalised clips ``(N, 3, T, 48, 48)``."""
    return (torch.stack([clip(videos[i], rng, jitter) for i in index]) - MEAN) / STD


def loss_of(objective: str, outputs: Tensor, targets: Tensor | None) -> Tensor:
    """The loss of outputs ``(2, N, D)`` of two clips of each video, and the videos' targets ``(N, D)``."""
    if objective == 'simclr':
        units = F.normalize(outputs, dim=2)
        return nt_xent(units, units, 0, TEMPERATURE).mean()
    if objective == 'cosine':
        return cosine_distance(outputs, targets).mean()
    if objective == 'contrast':
        return target_info_nce(outputs, targets, 0, TEMPERATURE).mean()
    keys = F.normalize(targets, dim=1)
    relations = (keys @ keys.T / TEMPERATURE).softmax(1)
    return -(relations * (F.normalize(outputs, dim=2) @ keys.T / TEMPERATURE).log_softmax(2)).sum(2).mean()


def descent(modules: list[nn.Module], lr: float, steps: int, warm: int) -> tuple:
    """AdamW, and its rate over so many steps: up in the first ones, then down by half a cosine."""
    optimizer = torch.optim.AdamW([p for module in modules for p in module.parameters()], lr, weight_decay=.05)
    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(
        (step + 1) / warm, .5 * (1 + np.cos(np.pi * max(0, step - warm) / (steps - warm)))))


def train(videos: Tensor, targets: Tensor | None, index: np.ndarray, objective: str, mlp: bool, lr: float,
          seed: int, jitter: float = JITTER) -> nn.Module:
    """A student that was trained on the videos of ``index``; targets ``(N, 4, D)`` are of the same."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = MODELS.build(dict(type='SlowResNet', depth=18, base_channels=16, norm_eval=False))
    network.init_weights()
    network.train()
    width = 128 if targets is None else targets.shape[-1]
    head = MLP(128, 512, width, 3 if objective == 'simclr' else 2) if mlp else nn.Linear(128, width)
    steps = len(index) // BATCH
    optimizer, schedule = descent([network, head], lr, EPOCHS * steps, steps)
    for _ in range(EPOCHS):
        order = rng.permutation(len(index))
        for step in range(steps):
            some = order[BATCH * step:BATCH * (step + 1)]
            clips = batch_of(videos, np.tile(index[some], 2), rng, jitter)
            parts = clips.split(BATCH) if objective == 'simclr' else [clips]  # BN statistics of each clip, or of both
            outputs = torch.stack([*torch.cat([head(network(part).mean((2, 3, 4))) for part in parts]).split(BATCH)])
            wanted = None
            if targets is not None:
                wanted = torch.stack([targets[i, s:s + 2].mean(0) for i, s in zip(some, rng.integers(0, 3, BATCH))])
            loss = loss_of(objective, outputs, wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


@torch.no_grad()
def encoded(network: nn.Module, videos: Tensor) -> Tensor:
    """Features of the videos' middle clips ``(N, 128)``."""
    return torch.cat([network(batch_of(videos, range(i, min(i + 64, len(videos))))).mean((2, 3, 4))
                      for i in range(0, len(videos), 64)])


def judge(features: Tensor, labels: Tensor, gallery: np.ndarray, query: np.ndarray) -> list[float]:
    """k-NN, R@1, k-NN of standardised features and a logistic regression on them, in percent."""
    g, q = features[gallery], features[query]
    mean, std = g.mean(0), g.std(0) + 1e-6
    h, r = (g - mean) / std, (q - mean) / std
    linear = LogisticRegression(C=.1, max_iter=100).fit(h.numpy(), labels[gallery].numpy()).predict(r.numpy())
    found = [knn_classify(q, g, labels[gallery]), knn_classify(q, g, labels[gallery], 1),
             knn_classify(r, h, labels[gallery]), torch.from_numpy(linear)]
    return [100 * (classes == labels[query]).float().mean().item() for classes in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('fruit', type=Path)
    parser.add_argument('weights', type=Path)
    parser.add_argument('--arms', type=lambda text: text.split(',') if text else [], default=list(ARMS))
    parser.add_argument('--seeds', type=lambda text: [int(seed) for seed in text.split(',')], default=[0])
    parser.add_argument('--lr', type=float, default=2e-3)
    parser.add_argument('--jitter', type=float, default=JITTER, help='strength of the random colours, 0 for none')
    parser.add_argument('--test', action='store_true', help='the queries are those of the test list')
    args = parser.parse_args()
    init_default_scope('mmaction')
    videos, labels, revolutions = read(args.fruit)
    index, query = held_out(revolutions, labels)
    if args.test:
        others, classes, _ = read(args.fruit, 'test')
        index, query = np.arange(len(videos)), len(videos) + np.arange(len(others))
        videos, labels = torch.cat([videos, others]), torch.cat([labels, classes])
    features = features_of_frames(videos, args.weights)
    print(f'{len(index)} videos to train on, {len(query)} queries')
    print(f'{"":18}{"seed":>5}{"k-NN":>8}{"R@1":>8}{"std.":>8}{"linear":>8}{"s":>6}')

    def show(name: str, seed: int | str, found: Tensor, seconds: float | str) -> None:
        figures = judge(found, labels, index, query)
        print(f'{name:18}{seed:>5}' + ''.join(f'{figure:8.1f}' for figure in figures) + f'{seconds:>6}', flush=True)

    show('colour histogram', '', colours_of(videos), '')
    show('image model', '', features.mean(1), '')
    for seed in args.seeds:
        for name in args.arms:
            begin, (objective, mlp, how) = time.process_time(), ARMS[name]
            targets = normalized(features[index], how) if how else None
            network = train(videos, targets, index, objective, mlp, args.lr, seed, args.jitter)
            show(name, seed, encoded(network, videos), round(time.process_time() - begin))


if __name__ == '__main__':
    main()
