"""Draw where an image model, and the video network that it taught or that stands on it, look in a video.

    python tools/visualization/attention.py VIDEO --teacher dino_vit_b16 --out attention.png
    python tools/visualization/attention.py VIDEO --teacher timm:vit_small_patch16_224.dino --out attention.mp4
    python tools/visualization/attention.py VIDEO --student work_dirs/iboot_r50_dino_k400 --out both.png
    python tools/visualization/attention.py VIDEO --student work_dirs/advise_clip_b16_ucf101 --out activations.png

For a ViT of timm or open_clip: what its class token attends to in the last layer, the mean of its heads and each of
them (iBoot's Figure 2). For a video network: the cosine of its features at each place, through W, with the teacher's
feature of the clip, or with its own average where it has no teacher. For AdViSe's: the activation of its temporal
module, of an untrained one and of the image model (its paper's Figure 7). A picture (.png, .pdf, .svg) is a strip of
frames, .mp4 a video. Each scale ends at the 99.5th percentile of its map over the clip (one place in 200 has more), so
colours are comparable within a row, not between videos. Without a network connection the teacher's weights come from a
local file: --checkpoint FILE.
"""

import argparse
import io
from pathlib import Path

import iboot_mm  # noqa: F401  (before any config is read)

import numpy as np
import torch
from mmaction.registry import MODELS, TRANSFORMS
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from torch import Tensor

from iboot_mm.checkpoints.clip_recipe import clip_pipeline
from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.datasets import UnreadableVideo, open_video
from iboot_mm.models.teachers import FrozenTeacher, load_teacher_config
from iboot_mm.stores.atomic_files import AtomicLocalBackend
from iboot_mm.visualization.activations import activation_layers
from iboot_mm.visualization.agreement import build_agreement
from iboot_mm.visualization.attention import attention_maps
from iboot_mm.visualization.layers import Layer, draw_strip, encode_video, render_tiles

PICTURES = ('.png', '.pdf', '.svg')
STRIP, FILM = 8, 64  # frames, unless told otherwise


def read_clips(video: str, clip: dict, num_clips: int) -> Tensor:
    """Clips ``(N, C, T, H, W)`` in [0, 1], evenly over a video."""
    pipeline = Compose([TRANSFORMS.build(step) for step in clip_pipeline(clip, num_clips)])
    return pipeline(dict(filename=video, sample_idx=0))['inputs'].float() / 255


def teacher_layers(teacher: FrozenTeacher, clips: Tensor, heads: list[int] | None = None) -> list[Layer]:
    """The mean of the heads and each of them, or those of these numbers, which count from 1.

    Raises:
        ValueError: see :func:`~iboot_mm.visualization.attention.attention_maps`; or there is no such head.
    """
    maps = attention_maps(teacher, clips).flatten(0, 1).numpy()  # (T, heads, h, w)
    count = maps.shape[1]
    if wrong := [head for head in heads or [] if not 1 <= head <= count]:
        raise ValueError(f'teacher {teacher.name} has heads 1 to {count}, and no head {wrong[0]}')
    shown = heads if heads is not None else range(1, count + 1)
    return [Layer(f'mean of {count} heads', maps.mean(1), 'attention'),
            *(Layer(f'head {head}', maps[:, head - 1], 'attention') for head in shown)]


def look(args: argparse.Namespace) -> tuple[np.ndarray, list[Layer]]:
    """Frames uint8 ``(T, H, W, 3)`` and what lies over them."""
    frames = args.frames or (FILM if args.out.suffix == '.mp4' else STRIP)
    teacher = load_teacher_config(args.teacher, args.checkpoint) if args.teacher else None
    if args.student is None:
        network = MODELS.build(teacher)
        side = min(network.input_size)
        clip = dict(clip_len=frames, frame_interval=1, target_fps=None, sampling='segments', size=side, short_side=side)
        clips = read_clips(args.video, clip, 1)
        layers = teacher_layers(network, clips, args.heads)
    else:
        info = describe_checkpoint(args.student, args.config)
        if info.backbone['type'] == 'ImageTMM' and not info.teachers:
            clips = read_clips(args.video, info.clip, max(1, round(frames / info.clip['clip_len'])))
            layers = teacher_layers(MODELS.build(teacher), clips, args.heads) if teacher else []
            return pictures(clips), layers + activation_layers(info, clips)
        agreement = build_agreement(info, teacher, args.checkpoint)
        clips = read_clips(args.video, info.clip, max(1, round(frames / info.clip['clip_len'])))
        layers = [Layer('student', agreement(clips).flatten(0, 1).numpy(), 'cosine')]
        if args.teacher:
            layers = teacher_layers(agreement.teacher, clips, args.heads) + layers
    return pictures(clips), layers


def pictures(clips: Tensor) -> np.ndarray:
    """Frames uint8 ``(N T, H, W, 3)`` of clips ``(N, C, T, H, W)`` in [0, 1]."""
    return (clips.permute(0, 2, 3, 4, 1).flatten(0, 1) * 255).round().byte().numpy()


def write(out: Path, frames: np.ndarray, layers: list[Layer], seconds: float) -> None:
    """The strip, or the video, which lasts as long as the one that it shows, in 1 to 30 frames a second."""
    if out.suffix == '.mp4':
        content = encode_video(render_tiles(frames, layers), min(max(len(frames) / max(seconds, .1), 1), 30))
    else:
        buffer = io.BytesIO()
        draw_strip(frames, layers).savefig(buffer, format=out.suffix[1:], dpi=150)
        content = buffer.getvalue()
    AtomicLocalBackend().put(content, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('video')
    parser.add_argument('--teacher', help='a file of configs/_base_/teachers, timm:MODEL.TAG, open_clip:MODEL/TAG or a '
                        "config; default: none beside a student, whose own teacher is then the target's")
    parser.add_argument('--checkpoint', help="file of the teacher's weights, instead of the hub's")
    parser.add_argument('--student', help='checkpoint, published file, exported folder or work dir')
    parser.add_argument('--config', help='of a student that has none beside it')
    parser.add_argument('--out', type=Path, default=Path('attention.png'), help='.png, .pdf, .svg or .mp4')
    parser.add_argument('--frames', type=int, help=f'default: {STRIP}, of a video {FILM}')
    parser.add_argument('--heads', type=int, nargs='*', help='numbers from 1; default: all')
    args = parser.parse_args()
    if not args.teacher and not args.student:
        parser.error('name a --teacher, a --student, or both')
    if args.out.suffix not in (*PICTURES, '.mp4'):
        parser.error(f'--out ends in {", ".join(PICTURES)} or .mp4, got {args.out}')
    if args.frames is not None and args.frames < 1:
        parser.error(f'--frames is at least 1, got {args.frames}')
    init_default_scope('mmaction')
    try:
        with torch.no_grad():
            frames, layers = look(args)
        with open_video(args.video, 'auto', 1) as video:
            seconds = video.num_frames / (video.fps or 30)
        write(args.out, frames, layers, seconds)
    except (ConnectionError, OSError, UnreadableVideo, ValueError) as error:
        raise SystemExit(f'attention: {error}') from error
    print(f'{args.out}: {len(frames)} frames, {len(layers)} maps')


if __name__ == '__main__':
    main()
