"""Augmenting a batch of views on the training device: ours beside torchvision v2 and kornia.

    python benchmarks/augmentation.py [--sizes 112 224 --videos 4 --device cpu --save]

Every row turns the same uint8 clips (3 views of each video, 8 frames) into augmented floats in [0, 1], with one draw
for all frames of a clip: colour jitter with a probability of .8 (.2, .2, .2, .05, in a random order), gray .2, blur .5
(sigma .1 to 2 pixels, a kernel of 17). Draws are each library's own, so what is applied to which clip differs; rows are
measured on many clips for that reason.

- iboot_mm: ViewPreprocessor, with its checks and the draws from the samples' seeds.
- torchvision v2: a loop over clips, whose transforms draw once a call.
- kornia: VideoSequential on the whole batch, ``same_on_frame``. Its operations draw for each clip.

A library that is not installed is left out. The memory is the peak beyond the output, of a process of its own on the
second of two batches; on a CPU it has the resolution of what the process asks the system for.
"""

import argparse
from collections.abc import Callable
from importlib.util import find_spec

import torch
from mmaction.structures import ActionDataSample
from side_by_side import figures_of, interleaved, parser, publish, table
from torch import Tensor
from torchvision.transforms import v2

from iboot_mm.engine.hooks.training_plan import peak_memory_gib
from iboot_mm.models.preprocessors.photometric import BLUR_KERNEL_SIZE
from iboot_mm.models.preprocessors.views import COLOR_JITTER, ViewPreprocessor

VIEWS, FRAMES = 3, 8
Row = Callable[[Tensor], Tensor]  # uint8 (N, V, C, T, H, W) to float (N V, C, T, H, W), (N V, T, C, H, W) or alike


def ours(device: str) -> Row:
    preprocessor = ViewPreprocessor().to(device)

    def augment(views: Tensor) -> Tensor:
        samples = [ActionDataSample(metainfo=dict(view_seeds=[VIEWS * video + view for view in range(VIEWS)]))
                   for video in range(len(views))]
        return preprocessor(dict(inputs=views, data_samples=samples), training=True)['inputs'].flatten(0, 1)
    return augment


def torchvision_colours() -> v2.Compose:
    """iBoot's colours and blur of frames ``(T, 3, H, W)``, one draw a call."""
    return v2.Compose([
        v2.RandomApply([v2.ColorJitter(**COLOR_JITTER)], p=.8), v2.RandomGrayscale(p=.2),
        v2.RandomApply([v2.GaussianBlur(BLUR_KERNEL_SIZE, sigma=(.1, 2.))], p=.5)])


def torchvision(device: str) -> Row:
    chain = v2.Compose([v2.ToDtype(torch.float32, scale=True), torchvision_colours()])
    return lambda views: torch.stack([chain(clip) for clip in views.flatten(0, 1).transpose(1, 2)])  # frames first


def kornia(device: str) -> Row:
    from kornia import augmentation
    chain = augmentation.VideoSequential(
        augmentation.ColorJitter(**COLOR_JITTER, p=.8), augmentation.RandomGrayscale(p=.2),
        augmentation.RandomGaussianBlur((BLUR_KERNEL_SIZE, BLUR_KERNEL_SIZE), (.1, 2.), p=.5),
        data_format='BCTHW', same_on_frame=True)
    return lambda views: chain(views.flatten(0, 1) / 255)


ROWS = dict(iboot_mm=ours, torchvision=torchvision, kornia=kornia)


def clips(args: argparse.Namespace, size: int) -> Tensor:
    """Smooth random views, as gray and noise would be easy or hard for the branches of a hue; uint8."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(args.videos * VIEWS, 3, FRAMES, 8, 8, generator=generator)
    fine = torch.nn.functional.interpolate(coarse, (FRAMES, size, size), mode='trilinear').mul(255).byte()
    return fine.unflatten(0, (args.videos, VIEWS)).to(args.device)


def peak_beyond_output(name: str, args: argparse.Namespace, size: int) -> float:
    """GiB, of this process."""
    row, views = ROWS[name](args.device), clips(args, size)
    row(views[:1])  # what a library loads and keeps
    before = peak_memory_gib(torch.device(args.device))
    output = row(views)
    return peak_memory_gib(torch.device(args.device)) - before - output.nbytes / 2**30


def measured_apart(name: str, args: argparse.Namespace, size: int) -> float:
    return figures_of(__file__, '--one', name, '--sizes', size, '--videos', args.videos, '--device', args.device)[0]


def main() -> None:
    arguments = parser(__doc__, repeats=7)
    arguments.add_argument('--sizes', type=int, nargs='+', default=[112, 224], help='pixels')
    arguments.add_argument('--videos', type=int, default=4)
    arguments.add_argument('--one', choices=ROWS, help='print the memory of this row, measured in this process')
    args = arguments.parse_args()
    if args.one:
        print(peak_beyond_output(args.one, args, args.sizes[0]))
        return
    found = [name for name in ROWS if find_spec(name)]
    lines = []
    for size in args.sizes:
        views = clips(args, size)
        rows = {name: ROWS[name](args.device) for name in found}
        seconds = interleaved({name: lambda row=row, views=views: row(views) for name, row in rows.items()},
                              args.repeats, args.device)
        lines += [(name, size, f'{1e3 * taken / len(views) / VIEWS:.2f}', f'{taken / seconds["iboot_mm"]:.2f}',
                   f'{max(0., measured_apart(name, args, size)):.3f}') for name, taken in seconds.items()]
    left_out = ''.join(f'\n\n{name} is not installed: left out.' for name in ROWS if name not in found)
    publish(f'{args.videos * VIEWS} clips of {FRAMES} frames\n\n'
            + table(('row', 'pixels', 'ms a clip', 'ratio', 'GiB beyond'), lines) + left_out, args)


if __name__ == '__main__':
    main()
