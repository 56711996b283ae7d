"""Time and peak memory of one training step of the four methods by rho, and of rho-BYOL in one backward pass.

    python benchmarks/rho_steps.py [--depth 50 --size 112 --videos 2 --rho 2 3 4 --device cpu]

Each row is a process of its own, on random clips, with SGD and the momentum update. The memory is the peak of the
process (on a GPU: what torch allocated) above that of starting up, 0 where that took more; ratios are to the same
method at the first rho.
"""

import argparse
import math
import statistics
import subprocess
import sys
import time

import torch

METHODS = dict(byol='VideoBYOL', byol_one_pass='VideoBYOL', moco='VideoMoCo', simclr='VideoSimCLR', swav='VideoSwAV')


def measure(method: str, rho: int, args: argparse.Namespace) -> tuple[float, float]:
    """Median seconds of a step and peak memory in GiB, of this process."""
    from mmaction.registry import MODELS
    from mmengine.model import BaseModel
    from mmengine.optim import OptimWrapper

    import iboot_mm  # noqa: F401
    from iboot_mm.engine.hooks.training_plan import peak_memory_gib

    device = torch.device(args.device)
    model = MODELS.build(dict(
        type=METHODS[method], feature_dim=512 if args.depth < 50 else 2048,
        backbone=dict(type='SlowResNet', depth=args.depth), data_preprocessor=dict(color_jitter=None, blur_prob=0.)))
    model.to(device).train()
    momentum = getattr(model, 'momentum', None)
    if momentum is not None:
        momentum.attached = True
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-3, momentum=.9))
    views = torch.randint(256, (args.videos, rho, 3, args.frames, args.size, args.size), dtype=torch.uint8)
    batch = dict(inputs=list(views), data_samples=[dict(view_seeds=[0] * rho)] * args.videos)
    train_step = BaseModel.train_step if method == 'byol_one_pass' else type(model).train_step
    before, seconds = peak_memory_gib(device), []
    for _ in range(args.steps + 1):
        start = time.perf_counter()
        train_step(model, batch, wrapper)
        if momentum is not None:
            momentum.update(model.online, progress=0.)
        if device.type == 'cuda':
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:]), peak_memory_gib(device) - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--methods', nargs='+', choices=METHODS, default=list(METHODS))
    parser.add_argument('--rho', type=int, nargs='+', default=[2, 3, 4])
    parser.add_argument('--depth', type=int, default=50)
    parser.add_argument('--size', type=int, default=112, help='pixels')
    parser.add_argument('--frames', type=int, default=8)
    parser.add_argument('--videos', type=int, default=2)
    parser.add_argument('--steps', type=int, default=3, help='measured steps, after one that is not')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--one', action='store_true', help='measure the only row in this process')
    args = parser.parse_args()
    if args.one:
        print(*measure(args.methods[0], args.rho[0], args))
        return
    where = torch.cuda.get_device_name() if args.device == 'cuda' else f'{torch.get_num_threads()} CPU threads'
    print(f'Slow R{args.depth}, {args.videos} videos, {args.frames} x {args.size} x {args.size}, {where}, '
          f'torch {torch.__version__}')
    print(f'{"method":<15}{"rho":>4}{"s / step":>10}{"ratio":>7}{"GiB":>7}{"ratio":>7}')
    common = [f'--{name}={getattr(args, name)}' for name in ('depth', 'size', 'frames', 'videos', 'steps', 'device')]
    for method in args.methods:
        first = None
        for rho in args.rho:
            row = [sys.executable, __file__, '--one', '--methods', method, '--rho', str(rho), *common]
            out = subprocess.run(row, check=True, stdout=subprocess.PIPE, text=True).stdout
            figures = tuple(map(float, out.split()[-2:]))
            first = first or figures
            ratios = [figure / of if of else math.nan for figure, of in zip(figures, first, strict=True)]
            print(f'{method:<15}{rho:>4}{figures[0]:>10.2f}{ratios[0]:>7.2f}{figures[1]:>7.2f}{ratios[1]:>7.2f}',
                  flush=True)


if __name__ == '__main__':
    main()
