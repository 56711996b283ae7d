"""Does the motion target teach what people do? A small student with and without it, on Weizmann's actions and UT's.

    python benchmarks/motion_of_people.py VIDEOS mobilenetv2_100_imagenet_fp16.pth \\
        --data weizmann 3 weizmann_train_split1.txt weizmann_test_split1.txt \\
        --data ut 6 ut_train_split1.txt ut_test_split1.txt --seed 0

Each --data names a set, how many frames lie between two of a clip, and lists of `path label` below VIDEOS (those of
tools/data/prepare.py weizmann and ut_interaction, which leave out people and sequences). The students learn from the
training videos of all sets together, without labels, and are tested on each by weighted k-NN (k = 8, frozen features
of the middle clip); reversed: the same with the queries played backwards, which a network that sees only appearance
does not notice. Videos and targets are in memory. Clips of 8 frames, 64 of 72 pixels, random place and moment, no flip
(it makes left of right) and no change of colours; the mini network with temporal kernels in its stem and all stages; 32
videos a step, one clip each, AdamW. Appearance is contrasted with the other videos' (temperature .1), motion is the
cluster (32) of the correspondences, as in configs/mini/iboot_motion_r18_digits.py.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from objectives import MEAN, STD, descent, image_model, normalized
from torch import Tensor, nn

import iboot_mm  # noqa: F401  (registers the components)
from iboot_mm.datasets import open_video
from iboot_mm.evaluation.metrics.knn import knn_classify
from iboot_mm.models.losses.views import target_info_nce
from iboot_mm.models.modules.clusters import TargetClusters
from iboot_mm.models.modules.motion import correspondences

FRAMES, SIZE, STORED, SIDE = 8, 64, 72, 96  # of a clip; its pixels, those of stored videos, those the teacher sees
BATCH, MOMENTS, K, TEMPERATURE = 32, 4, 8, .1
ARMS = dict(appearance=(True, False), motion=(False, True), both=(True, True))


def read(root: Path, file: Path) -> tuple[list[Tensor], Tensor]:
    """A list's videos, uint8 ``(T, 3, 72, 72)`` each, and their labels ``(N,)``."""
    lines = [line.split() for line in file.read_text().splitlines()]
    videos = []
    for path, _ in lines:
        with open_video(str(root / path)) as video:
            frames = torch.from_numpy(np.stack(list(video.read(range(video.num_frames))))).permute(0, 3, 1, 2)
        videos.append(F.interpolate(frames, (STORED, STORED), mode='bilinear', antialias=True))
    return videos, torch.tensor([int(label) for _, label in lines])


def clip(video: Tensor, gap: int, rng: np.random.Generator | None = None) -> Tensor:
    """A clip ``(3, T, 64, 64)`` in [0, 1]; without a generator the middle one. A short video's frames lie closer."""
    gap = min(gap, (len(video) - 1) // (FRAMES - 1))
    room = np.array([len(video) - (FRAMES - 1) * gap, STORED - SIZE + 1, STORED - SIZE + 1])
    start, top, left = room // 2 if rng is None else rng.integers(0, room)
    frames = video[start:start + (FRAMES - 1) * gap + 1:gap, :, top:top + SIZE, left:left + SIZE]
    return frames.transpose(0, 1).float() / 255


@torch.no_grad()
def targets_of(clips: Tensor, network: nn.Module) -> tuple[Tensor, Tensor]:
    """Mean embedding ``(N, 1280)`` and correspondences of the stride-8 maps ``(N, 25)`` of clips."""
    level = max(i for i, info in enumerate(network.feature_info) if info['reduction'] == 8)
    appearance, motion = [], []
    for part in clips.split(16):
        frames = part.transpose(1, 2).flatten(0, 1)
        frames = F.interpolate(frames, (SIDE, SIDE), mode='bilinear', antialias=True) * 2 - 1
        maps = network.forward_intermediates(frames, indices=[level], intermediates_only=True, stop_early=True)[-1]
        motion.append(correspondences(maps.unflatten(0, (len(part), FRAMES))))
        some = frames.unflatten(0, (len(part), FRAMES))[:, ::2].flatten(0, 1)
        features = network.forward_head(network.forward_features(some), pre_logits=True)
        appearance.append(features.unflatten(0, (len(part), -1)).mean(1))
    return torch.cat(appearance), torch.cat(motion)


def student() -> nn.Module:
    """A network that mixes time in its stem and in all stages."""
    network = MODELS.build(dict(type='SlowResNet', depth=18, base_channels=16, norm_eval=False, inflate=(1, 1, 1, 1),
                                conv1_kernel=(3, 7, 7)))
    network.init_weights()
    return network


def train(videos: list[tuple[Tensor, int]], appearance: Tensor, labels: Tensor, parts: tuple[bool, bool], steps: int,
          seed: int) -> nn.Module:
    """A student of videos, each with its gap, by what the teacher says of M other moments of them.

    Args:
        videos: N of them.
        appearance: Targets ``(N, M, D)``.
        labels: Clusters of motion ``(N, M)``.
        parts: Which of the two it learns.
        steps: Number of steps.
        seed: Of everything.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = student().train()
    see, go = nn.Linear(128, appearance.shape[-1]), nn.Linear(128, 32)
    optimizer, schedule = descent([network, see, go], 2e-3, steps, steps // 20)
    for _ in range(steps):
        some = rng.choice(len(labels), BATCH, replace=False)
        moments = rng.integers(0, MOMENTS, BATCH)
        clips = (torch.stack([clip(*videos[i], rng) for i in some]) - MEAN) / STD
        features = network(clips).mean((2, 3, 4))
        loss = features.new_zeros(())
        if parts[0]:
            loss = loss + target_info_nce(see(features)[None], appearance[some, moments], 0, TEMPERATURE).mean()
        if parts[1]:
            loss = loss + F.cross_entropy(go(features), labels[some, moments])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval()


@torch.no_grad()
def encoded(network: nn.Module, clips: Tensor) -> Tensor:
    """Features ``(N, 128)``."""
    return torch.cat([network((part - MEAN) / STD).mean((2, 3, 4)) for part in clips.split(32)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('videos', type=Path)
    parser.add_argument('weights', type=Path)
    parser.add_argument('--data', nargs=4, action='append', required=True, metavar=('NAME', 'GAP', 'TRAIN', 'TEST'))
    parser.add_argument('--arms', type=lambda text: text.split(','), default=list(ARMS))
    parser.add_argument('--steps', type=int, default=300)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    init_default_scope('mmaction')
    sets = {name: (int(gap), read(args.videos, Path(train)), read(args.videos, Path(test)))
            for name, gap, train, test in args.data}
    train_videos = [(video, gap) for gap, (videos, _), _ in sets.values() for video in videos]
    teacher, rng = image_model(args.weights), np.random.default_rng(args.seed)
    clips = torch.stack([clip(*video, rng) for video in train_videos for _ in range(MOMENTS)])
    appearance, motion = (t.unflatten(0, (-1, MOMENTS)) for t in targets_of(clips, teacher))
    clusters = TargetClusters(motion.shape[-1], 32, len(clips)).train()
    labels = clusters(motion.flatten(0, 1)).unflatten(0, (-1, MOMENTS))
    middle = {name: [torch.stack([clip(video, gap) for video in videos]) for videos, _ in part]
              for name, (gap, *part) in sets.items()}

    def show(name: str, encode, seconds: float) -> None:
        for data, (gallery, query) in middle.items():
            found, wanted, right = encode(gallery), sets[data][2][1], []
            for queries in (query, query.flip(2)):
                classes = knn_classify(encode(queries), found, sets[data][1][1], K)
                right.append(100 * (classes == wanted).float().mean().item())
            print(f'{name:16}{data:12}{args.seed:>5}{len(wanted):>9}{right[0]:>8.1f}{right[1]:>10.1f}{seconds:>6.0f}',
                  flush=True)

    print(f'{"":16}{"data":12}{"seed":>5}{"queries":>9}{"k-NN":>8}{"reversed":>10}{"s":>6}')
    show('image model', lambda clips: targets_of(clips, teacher)[0], 0)
    show('correspondences', lambda clips: targets_of(clips, teacher)[1] / clusters.scale, 0)
    torch.manual_seed(args.seed)
    untrained = student().eval()
    show('untrained', lambda clips: encoded(untrained, clips), 0)
    for name in args.arms:
        begin = time.process_time()
        network = train(train_videos, normalized(appearance, 'standardize'), labels, ARMS[name], args.steps, args.seed)
        show(name, lambda clips, network=network: encoded(network, clips), time.process_time() - begin)


if __name__ == '__main__':
    main()
