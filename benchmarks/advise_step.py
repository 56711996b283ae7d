"""What a training step of AdViSe costs beside one of a 3D network on the same pretext, clips and batch.

    python benchmarks/advise_step.py [--videos 2 --clips 4 --size 112 --hidden 256 --kernel 1 --device cpu]
    python benchmarks/advise_step.py --tower vit_large_patch14_clip_224     # A-L/14-256
    python benchmarks/advise_step.py --hidden 2048                          # A-B/16-2048

- R3D-50: MMAction2's Slow R50 (31.6 M without its head, so what the paper counts as 31.8 M), all of it trained.
- AdViSe, live: an image model of timm with random weights, frozen, and a temporal module (kernel 1, as the paper
  counts).
- AdViSe, stored tokens: the temporal module alone, on maps computed before (`tools/data/cache_tokens.py`).

All three are stock recognizers of 4 playback rates with the same head, on the same random clips of 8 frames, with
AdamW; one step is augmentation, forward, backward and update, without reading files. Multiply-adds are those of a clip
through the trained part, without its head, forward. Times are taken in turn in one process, memory is the peak of a
process of its own, above that of its imports (on a GPU: what torch allocated). Ratios are to R3D-50.

The paper's Table 6, on A800 GPUs at 224 x 224 with a batch that the text has lost: R3D-50 31.8 M parameters, 125.3 G,
19.2 s and 40.0 GB; A-B/16-256 4.0 M, 8.1 G, 5.6 s and 4.9 GB, that is ratios of .13, .06, .29 and .12; A-L/14-256
4.0 M, 8.1 G, 11.8 s, 6.2 GB; A-B/16-2048 44.3 M, 66.2 G, 17.0 s, 7.9 GB.
"""

import argparse
from collections.abc import Callable

import torch
from side_by_side import figures_of, interleaved, parser, publish, table

ROWS = ('R3D-50', 'AdViSe, live', 'AdViSe, stored tokens')


def image_model(args: argparse.Namespace) -> dict:
    """Config of the frozen network, at the size of the clips."""
    return dict(type='TimmTeacher', model=args.tower, pretrained=False, model_args=dict(img_size=args.size))


def token_shape(args: argparse.Namespace) -> tuple[int, int, int]:
    """Channels, height and width of the image model's tokens of a frame."""
    from mmaction.registry import MODELS

    with torch.device('meta'):
        _, count, width = MODELS.build(dict(image_model(args), output='tokens')).encode(
            torch.empty(1, 3, args.size, args.size)).shape
    return width, round(count**.5), round(count**.5)


def build(row: str, args: argparse.Namespace) -> tuple[torch.nn.Module, dict]:
    """A recognizer in training mode on the device, and a batch as its loader gives it."""
    from mmaction.registry import MODELS
    from mmaction.structures import ActionDataSample
    from mmengine.registry import init_default_scope

    import iboot_mm  # noqa: F401

    init_default_scope('mmaction')
    stored = row == 'AdViSe, stored tokens'
    channels, *grid = token_shape(args)
    backbone = dict(type='ImageTMM', teacher=image_model(args), stored_width=channels if stored else None,
                    temporal=dict(type='r3d', hidden=args.hidden, kernel=args.kernel))
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
    shape = (channels, 8, *grid) if stored else (3, 8, args.size, args.size)
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


def multiply_adds(row: str, args: argparse.Namespace) -> float:
    """Of a clip through what is trained of the backbone, in 10**9."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device('meta'):
        backbone = build(row, argparse.Namespace(**{**vars(args), 'device': 'meta'}))[0].backbone
        channels, *grid = token_shape(args)
        with FlopCounterMode(display=False) as counter:
            if row == 'R3D-50':
                backbone(torch.empty(1, 3, 8, args.size, args.size))
            else:
                backbone.temporal(torch.empty(1, channels, 8, *grid))
    return counter.get_total_flops() / 2e9


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
    options = [f'--{name}={getattr(args, name)}' for name in ('videos', 'clips', 'size', 'depth', 'tower', 'hidden',
                                                              'kernel', 'device')]
    return figures_of(__file__, '--memory-of', row, *options)[0]


def main() -> None:
    arguments = parser(__doc__, repeats=5)
    arguments.add_argument('--videos', type=int, default=2)
    arguments.add_argument('--clips', type=int, default=4, help='of a video')
    arguments.add_argument('--size', type=int, default=112, help="pixels, a multiple of the tower's patch")
    arguments.add_argument('--depth', type=int, default=50, help='of the 3D network')
    arguments.add_argument('--tower', default='vit_base_patch16_224', help="timm's image model")
    arguments.add_argument('--hidden', type=int, default=256, help='channels of the temporal module')
    arguments.add_argument('--kernel', type=int, choices=(1, 3), default=1, help='its extent over time')
    arguments.add_argument('--memory-of', choices=ROWS, help=argparse.SUPPRESS)
    args = arguments.parse_args()
    if args.memory_of:
        print(measure_memory(args.memory_of, args))
        return
    memory = {row: memory_of(row, args) for row in ROWS}
    steps = {row: stepper(row, args) for row in ROWS}
    seconds = interleaved({row: step for row, (step, _) in steps.items()}, args.repeats, args.device)
    giga = {row: multiply_adds(row, args) for row in ROWS}
    counts = {row: count / 1e6 for row, (_, count) in steps.items()}
    lines = []
    for row in ROWS:
        cells = [row]
        for unit, figures in (('.2f', counts), ('.2f', giga), ('.3f', seconds), ('.2f', memory)):
            cells += [format(figures[row], unit), f'{figures[row] / figures[ROWS[0]]:.2f}']
        lines.append(cells)
    head = ['row', 'trained, M', 'ratio', 'G multiply-adds', 'ratio', 's a step', 'ratio', 'GiB', 'ratio']
    publish(f'{args.videos} videos x {args.clips} clips of 8 x {args.size} x {args.size}, {args.tower}, {args.hidden} '
            f'hidden channels; head of 2048 included in the parameters\n\n{table(head, lines)}', args)


if __name__ == '__main__':
    main()
