"""What a training step of iBoot and of rho-BYOL (rho = 2) costs, part by part, and what its settings change.

    python benchmarks/step.py [--methods iboot byol --levers fp32 bf16 ... --device cpu]

The step is the real one: uint8 views, augmentation, an open_clip tower with random weights on all frames of the
reference clip (CLIP B/16), LARS, momentum copy. The first tables split it into parts. Bare parts are the same networks
alone on prepared tensors, in turn with the step; ``step / bare`` says what all else costs. Communication is in
scaling.py. Multiply-adds are those of convolutions and matrix products (blur is some), forward and backward, half of
what torch's FlopCounterMode counts; their share is that of a large float32 matrix product in the same run (on a GPU in
TF32, as cuDNN's convolutions are by default).

The last tables change one setting at a time from plain fp32, the teacher's included: ``loss within`` is the greatest
relative difference of the loss over --loss-steps from the same weights. Memory is the peak of a process of its own,
its libraries not counted (on a GPU: what torch allocated). On a GPU a batch of 13 and the largest that fits.
"""

import argparse
import functools
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

import torch
from side_by_side import interleaved, parser, publish, table, wait_for
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from workload import (
    LEVERS,
    METHODS,
    Workload,
    add_options,
    fits,
    largest_batch,
    own_process,
    peak_and_losses,
    prepare,
)

ONLY_OF = dict(teacher_bf16=('iboot', ), one_pass=tuple(set(METHODS) - {'iboot'}))
CPU_LEVERS = [name for name in LEVERS if name != 'fp16']


@contextmanager
def stopwatch(workload: Workload) -> Iterator[dict[str, float]]:
    """Seconds that each part of the steps made inside takes, by name."""
    model, seconds = workload.model, defaultdict(float)
    places = [('augmentation', model.data_preprocessor, 'forward'), ('forward', model.backbone, 'forward'),
              ('backward', workload.optim_wrapper, 'backward'), ('optimizer', workload.optim_wrapper, 'step'),
              ('optimizer', workload.optim_wrapper, 'zero_grad')]
    places += [('teacher', type(teacher), '__call__') for teacher in getattr(model, 'teachers', ())]
    if workload.momentum is not None:
        places += [('momentum network', model.momentum, 'forward'), ('momentum update', model.momentum, 'update')]

    def timed(part: str, function: Callable) -> Callable:
        def call(*args, **kwargs):
            wait_for(workload.device)
            start = time.perf_counter()
            result = function(*args, **kwargs)
            wait_for(workload.device)
            seconds[part] += time.perf_counter() - start
            return result
        return call

    with ExitStack() as stack:
        for part, owner, name in places:
            stack.enter_context(mock.patch.object(owner, name, timed(part, getattr(owner, name))))
        yield seconds


def split(workload: Workload, data: dict) -> dict[str, float]:
    """Seconds of each part of one step; ``rest`` is what no part has: losses, logs, normalisation of clips."""
    with stopwatch(workload) as seconds:
        wait_for(workload.device)
        start = time.perf_counter()
        workload.step(data)
        wait_for(workload.device)
        whole = time.perf_counter() - start
    return dict(seconds, rest=whole - sum(seconds.values()))


def bare_parts(workload: Workload) -> dict[str, Callable]:
    """The networks of a step alone, on clips that are ready."""
    model, (videos, views, *shape) = workload.model, workload.shape
    clips = torch.rand(views, videos, *shape, device=workload.device)

    def train(batches: list[torch.Tensor]) -> None:
        for batch in batches:
            maps = model.backbone(batch)
            maps.backward(torch.ones_like(maps))
        model.zero_grad()

    if hasattr(model, 'teachers'):
        return {'teacher alone': lambda: [teacher(clips[0]) for teacher in model.teachers],
                'backbone alone': lambda: train([clips[1:].flatten(0, 1)])}
    return {'momentum network alone': lambda: [model.momentum(batch) for batch in clips],
            'backbone alone': lambda: train(list(clips))}


def multiply_adds(workload: Workload, data: dict) -> int:
    """Of one step."""
    # Neither torch's fused encoder layer nor its attention on a CPU would be counted.
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
            workload.step(data)
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    return counter.get_total_flops() // 2


def matrix_product(device: str) -> tuple[Callable, int]:
    """A large float32 matrix product, and its multiply-adds."""
    size = 8192 if torch.device(device).type == 'cuda' else 2048
    a, b = torch.rand(2, size, size, device=device)

    def multiply() -> None:
        torch.backends.cuda.matmul.allow_tf32 = True
        a @ b
        torch.backends.cuda.matmul.allow_tf32 = False

    return multiply, size ** 3


def own(method: str, lever: str, videos: int, args: argparse.Namespace) -> list[float]:
    """GiB and losses of a row, by a process of its own."""
    return own_process(args, '--one', method, lever, '--videos', videos, '--loss-steps', args.loss_steps)


def parts_of(method: str, videos: int, args: argparse.Namespace) -> tuple[str, dict[str, float]]:
    """The table of a step's parts, and what it says in numbers."""
    workload = Workload(method, args, videos)
    data, bare, splits = workload.batch(), bare_parts(workload), []
    multiply, product = matrix_product(args.device)
    medians = interleaved({'step': lambda: workload.step(data), **bare, 'product': multiply,
                           'split': lambda: splits.append(split(workload, data))}, args.repeats, args.device)
    parts = {name: statistics.median(one[name] for one in splits[1:]) for name in splits[0]}
    step, ready = medians['step'], sum(medians[name] for name in bare)
    count = multiply_adds(workload, data)
    figures = dict(ratio=step / ready, giga=count / 1e9, share=count / step / (product / medians['product']),
                   memory=own(method, 'fp32', videos, args)[0],
                   target_share=parts.get('teacher', 0.) / step)
    rows = [(name, f'{value:.4f}', f'{value / step:.1%}') for name, value in
            [*parts.items(), ('whole step', step), *((name, medians[name]) for name in bare)]]
    clips = workload.shape[0] * (2 if method == 'iboot' else workload.shape[1])
    text = (f'### {method}, {videos} videos of {args.frames} x {args.size} x {args.size}, Slow R{args.depth}, fp32\n\n'
            f'{table(("part", "s", "share"), rows)}\n\n'
            f'step / bare parts {figures["ratio"]:.3f}; {figures["giga"]:.1f} G multiply-adds a step, '
            f'{figures["share"]:.0%} of the matrix rate; {clips / step:.2f} clips/s; {figures["memory"]:.2f} GiB')
    return text, figures


def levers_of(method: str, videos: int, args: argparse.Namespace) -> tuple[str, dict[str, tuple[float, float]]]:
    """The table of levers, and each one's ratio of time and of memory to the first."""
    names = [name for name in args.levers if method in ONLY_OF.get(name, METHODS)]
    workloads = {name: Workload(method, args, videos, **LEVERS[name]) for name in names}
    data = next(iter(workloads.values())).batch()
    medians = interleaved({name: functools.partial(w.step, data) for name, w in workloads.items()},
                          args.repeats, args.device, warmup=2)  # compilation, choice of kernels
    alone = {name: own(method, name, videos, args) for name in names}
    (memory, *losses), rows, ratios = alone[names[0]], [], {}
    for name in names:
        ratios[name] = medians[name] / medians[names[0]], alone[name][0] / memory
        within = max(abs(a - b) / abs(b) for a, b in zip(alone[name][1:], losses, strict=True))
        rows.append((name, f'{medians[name]:.3f}', f'{ratios[name][0]:.2f}', f'{alone[name][0]:.2f}',
                     f'{ratios[name][1]:.2f}', f'{within:.0e}'))
    return (f'### {method}, {videos} videos: each setting against {names[0]}\n\n' +
            table(('setting', 's', 'ratio', 'GiB', 'ratio', 'loss within'), rows)), ratios


def goals(teacher_share: float, ratios: dict[str, tuple[float, float]]) -> str:
    """The three ratios that a GPU is to reach."""
    time_ratio, memory_ratio = ratios['all']
    return (f"Teacher {teacher_share:.0%} of the plain step (goal: at most 25 %); iBoot's clips per second "
            f'{1 / time_ratio:.2f} times those of plain fp32 (goal: 2); memory {memory_ratio:.2f} of it (goal: .5)')


def main() -> None:
    arguments = parser(__doc__, repeats=3)
    add_options(arguments)
    arguments.add_argument('--methods', nargs='+', choices=('iboot', 'byol'), default=['iboot', 'byol'])
    arguments.add_argument('--videos', type=int, nargs='+', help='batches; 2, on a GPU 13 and the largest that fits')
    arguments.add_argument('--levers', nargs='*', choices=LEVERS, help='the first is what others are compared with')
    arguments.add_argument('--lever-methods', nargs='*', choices=METHODS, help='iboot, on a GPU byol, too')
    arguments.add_argument('--loss-steps', type=int, default=3)
    arguments.add_argument('--one', nargs=2, metavar=('METHOD', 'LEVER'), help='print memory and losses of a row')
    args = arguments.parse_args()
    prepare(args)
    if args.one:
        method, lever = args.one
        peak, losses = peak_and_losses(lambda: Workload(method, args, args.videos[0], **LEVERS[lever]), args.loss_steps)
        print(peak, *losses)
        return
    on_gpu = torch.device(args.device).type == 'cuda'
    args.levers = args.levers if args.levers is not None else list(LEVERS) if on_gpu else CPU_LEVERS
    if args.lever_methods is None:
        args.lever_methods = ['iboot', 'byol'] if on_gpu else ['iboot']
    texts, shares = [], {}
    for method in args.methods:
        batches = args.videos or ([13, largest_batch(functools.partial(fits, method, args))] if on_gpu else [2])
        for videos in batches:
            text, figures = parts_of(method, videos, args)
            texts.append(text)
            shares.setdefault(method, figures['target_share'])
    for method in args.lever_methods if args.levers else ():
        text, ratios = levers_of(method, (args.videos or [13 if on_gpu else 2])[0], args)
        texts.append(text)
        if method == 'iboot' and on_gpu and 'all' in ratios and method in shares:
            texts.append(goals(shares[method], ratios))
    publish('\n\n'.join(texts), args)


if __name__ == '__main__':
    sys.exit(main())
