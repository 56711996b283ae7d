"""What a training step of AdViSe costs beside one of a 3D network on the same pretext, clips and batch.

    python benchmarks/advise_step.py [--videos 2 --clips 4 --size 112 --device cpu]

- R3D-50: MMAction2's Slow R50 (31.6 M without its head, so what the paper counts as 31.8 M), all of it trained.
- AdViSe, live: ViT-B/16 with random weights, frozen, and a temporal module of 256 hidden channels (kernel 1, as the
  paper counts).
- AdViSe, stored tokens: the temporal module alone, on maps computed before (`tools/data/cache_tokens.py`).

All three are stock recognizers of 4 playback rates with the same head, on the same random clips of 8 frames, with
AdamW; one step is augmentation, forward, backward and update, without reading files. Times are taken in turn in one
process, memory is the peak of a process of its own, above that of its imports (on a GPU: what torch allocated). Ratios
are to R3D-50.

The paper's Table 6, on A800 GPUs at 224 x 224 with a batch that the text has lost: R3D-50 31.8 M parameters, 19.2 s and
40.0 GB; A-B/16-256 4.0 M, 5.6 s and 4.9 GB, that is ratios of .13, .29 and .12.
"""

import argparse
from collections.abc import Callable

import torch
from side_by_side import figures_of, interleaved, parser, publish, table

ROWS = ('R3D-50', 'AdViSe, live', 'AdViSe, stored tokens')
PATCH = 16


def build(row: str, args: argparse.Namespace) -> tuple[torch.nn.Module, dict]:
    """A recognizer in training mode on the device, and a batch as its loader gives it."""
    from mmaction.registry import MODELS
    from mmaction.structures import ActionDataSample
    from mmengine.registry import init_default_scope

    import iboot_mm  # noqa: F401

    init_default_scope('mmaction')
    stored = row == 'AdViSe, stored tokens'
    teacher = dict(type='TimmTeacher', model=args.tower, pretrained=False, model_args=dict(img_size=args.size))
    backbone = dict(type='ImageTMM', teacher=teacher, temporal=dict(hidden=256, kernel=1),
                    stored_width=args.width if stored else None)
    width = 1024
    if row == 'R3D-50':
        backbone, width = dict(type='SlowResNet', depth=args.depth), 2048 if args.depth >= 50 else 512
    colours = dict(color_jitter=dict(brightness=.2, contrast=.2, saturation=.2, hue=.1), blur_prob=0.)
    torch.manual_seed(0)
    model = MODELS.build(dict(
        type='Recognizer3D', backbone=backbone,
        cls_head=dict(type='MLPHead', in_channels=width, num_classes=4, topk=(1, ), label_smooth_eps=.05),
        data_preprocessor=(dict(type='TokenPreprocessor', per_clip=True) if stored else
                           dict(type='ClipPreprocessor', **colours))))
    if row == 'AdViSe, live' and model.backbone.teachers[0].width != args.width:
        raise SystemExit(f'--width is {args.width}, but the tokens of {args.tower} have '
                         f'{model.backbone.teachers[0].width} channels')
    side = args.size // PATCH
    shape = (args.width, 8, side, side) if stored else (3, 8, args.size, args.size)
    clips = (torch.randn(args.clips, *shape).half() if stored else
             torch.randint(256, (args.clips, *shape), dtype=torch.uint8))
    samples = [ActionDataSample(metainfo=dict(view_seeds=list(range(args.clips))),
                                gt_label=torch.arange(args.clips) % 4) for _ in range(args.videos)]
    return model.to(args.device).train(), dict(inputs=[clips] * args.videos, data_samples=samples)


def stepper(row: str, args: argparse.Namespace) -> tuple[Callable[[], object], int]:
    """A function that does one training step, and how many parameters it trains."""
    from mmengine.optim import OptimWrapper

    model, batch = build(row, args)
    wrapper = OptimWrapper(torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-6))
    return lambda: model.train_step(dict(batch), wrapper), sum(p.numel() for p in model.parameters())


def measure_memory(row: str, args: argparse.Namespace) -> float:
    """Peak of this process in GiB over two steps, above what its imports took."""
    import iboot_mm.engine  # noqa: F401
    from iboot_mm.engine.hooks.training_plan import peak_memory_gib

    device = torch.device(args.device)
    before = peak_memory_gib(device)
    step, _ = stepper(row, args)
    for _ in range(2):
        step()
    return peak_memory_gib(device) - before


def memory_of(row: str, args: argparse.Namespace) -> float:
    """The same in a process of its own."""
    options = [f'--{name}={getattr(args, name)}' for name in ('videos', 'clips', 'size', 'depth', 'tower', 'width',
                                                              'device')]
    return figures_of(__file__, '--memory-of', row, *options)[0]


def main() -> None:
    arguments = parser(__doc__, repeats=5)
    arguments.add_argument('--videos', type=int, default=2)
    arguments.add_argument('--clips', type=int, default=4, help='of a video')
    arguments.add_argument('--size', type=int, default=112, help='pixels, a multiple of 16')
    arguments.add_argument('--depth', type=int, default=50, help='of the 3D network')
    arguments.add_argument('--tower', default='vit_base_patch16_224', help="timm's image model, in patches of 16")
    arguments.add_argument('--width', type=int, default=768, help='of its tokens')
    arguments.add_argument('--memory-of', choices=ROWS, help=argparse.SUPPRESS)
    args = arguments.parse_args()
    if args.memory_of:
        print(measure_memory(args.memory_of, args))
        return
    memory = {row: memory_of(row, args) for row in ROWS}
    steps = {row: stepper(row, args) for row in ROWS}
    seconds = interleaved({row: step for row, (step, _) in steps.items()}, args.repeats, args.device)
    counts = {row: count / 1e6 for row, (_, count) in steps.items()}
    lines = []
    for row in ROWS:
        cells = [row]
        for unit, figures in (('.2f', counts), ('.3f', seconds), ('.2f', memory)):
            cells += [format(figures[row], unit), f'{figures[row] / figures[ROWS[0]]:.2f}']
        lines.append(cells)
    head = ['row', 'trained, M', 'ratio', 's a step', 'ratio', 'GiB', 'ratio']
    publish(f'{args.videos} videos x {args.clips} clips of 8 x {args.size} x {args.size}, head of 2048 included in the '
            f'parameters\n\n{table(head, lines)}', args)


if __name__ == '__main__':
    main()
