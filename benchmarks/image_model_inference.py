"""What one sample costs in the frozen image models of AdViSe's Table 7: 8 frames of 224 x 224 through each of them.

    python benchmarks/image_model_inference.py [--frames 8 --size 224 --device cpu]

CLIP ViT-L/14, MAE ViT-L/16 and DINOv2 ViT-L/14 with random weights, as configs/advise/ablations/_base_/image_models.py
has them, in the precision that a teacher takes there (bf16 on GPUs that have it, else fp32). Times are taken in turn;
multiply-adds are those of matrix products and convolutions.

The paper's, on an A800: 1.57, 1.45 and 1.92 s for a sample whose size the text has lost.
"""

import argparse
from pathlib import Path

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from side_by_side import interleaved, parser, publish, table
from torch.utils.flop_counter import FlopCounterMode

import iboot_mm  # noqa: F401  (before any config is read)

IMAGE_MODELS = Path(__file__).resolve().parents[1] / 'configs/advise/ablations/_base_/image_models.py'
PAPER = dict(clip_vit_l14='1.57', mae_vit_l16='1.45', dinov2_vit_l14='1.92')  # s


def build(config: dict) -> torch.nn.Module:
    """A teacher of patch tokens with random weights."""
    untrained = dict(config, output='tokens', pretrained=False)
    untrained['model'] = config['model'].split('.')[0]  # the rest of timm's name says which weights
    return MODELS.build(untrained)


def multiply_adds(config: dict, frames: int) -> float:
    """Of a sample, in 10**12, whatever its size: the model sees its own."""
    with torch.device('meta'):
        teacher = build(config)
        with FlopCounterMode(display=False) as counter:
            teacher.encode(torch.empty(frames, 3, *teacher.input_size))
    return counter.get_total_flops() / 2e12


def main() -> None:
    arguments = parser(__doc__, repeats=3)
    arguments.add_argument('--frames', type=int, default=8)
    arguments.add_argument('--size', type=int, default=224, help='pixels of the clip; the models scale it to their own')
    arguments.add_argument('--models', type=Path, default=IMAGE_MODELS, help=argparse.SUPPRESS)
    args = arguments.parse_args()
    init_default_scope('mmaction')
    configs = [config for config in Config.fromfile(args.models).values() if isinstance(config, dict)]
    clip = torch.rand(1, 3, args.frames, args.size, args.size, device=args.device)
    teachers = {config['name']: build(config) for config in configs}
    seconds = interleaved({name: lambda teacher=teacher: teacher(clip) for name, teacher in teachers.items()},
                          args.repeats, args.device)
    lines = [[config['name'], f'{multiply_adds(config, args.frames):.3f}', f'{seconds[config["name"]]:.3f}',
              PAPER.get(config['name'], '')] for config in configs]
    publish(f'{args.frames} frames of {args.size} x {args.size}\n\n'
            + table(['image model', 'T multiply-adds', 's', "the paper's s"], lines), args)


if __name__ == '__main__':
    main()
