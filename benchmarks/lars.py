"""One optimizer step on the weights of the Slow R50 and a projector of 2048 x 512: LARS beside torch's SGD.

    python benchmarks/lars.py [--depth 50 --device cpu --save]

Every row owns a copy of the same weights and gradients (float32), and takes the same settings: Nesterov momentum .9,
weight decay 1e-6. Ratios are to torch's SGD with ``foreach``, its default on a GPU. The goal is at most 1.3.

- iboot_mm LARS: ``iboot_mm.engine.optimizers.LARS``.
- mmpretrain LARS: reads two norms of each tensor on the host.
- timm Lars: as mmpretrain's, it adapts biases and the scales of normalisations, too.
- torch SGD, foreach and fused: no norms, no trust ratio, so less to do.

Memory: the peak of one step above what weights, gradients and buffers take; on a GPU only, where torch counts it.
"""

from collections.abc import Callable

import torch
from mmaction.registry import MODELS
from side_by_side import interleaved, parser, publish, table
from torch import nn

import iboot_mm  # noqa: F401  registers SlowResNet
from iboot_mm.engine.optimizers import LARS

REFERENCE = 'torch SGD, foreach'


def weights(depth: int, device: str) -> list[torch.Tensor]:
    """Those of the backbone and the projector, on the device."""
    torch.manual_seed(0)
    backbone = MODELS.build(dict(type='SlowResNet', depth=depth))
    width = 2048 if depth >= 50 else 512
    return [param.detach().to(device) for param in nn.ModuleList([backbone, nn.Linear(width, 512)]).parameters()]


def optimizers() -> dict[str, Callable[..., torch.optim.Optimizer]]:
    from mmpretrain.engine.optimizers.lars import LARS as MMPretrainLARS
    from timm.optim.lars import Lars
    return {
        'iboot_mm LARS': LARS,
        'mmpretrain LARS': MMPretrainLARS,
        'timm Lars': Lars,
        REFERENCE: lambda params, **settings: torch.optim.SGD(params, foreach=True, **settings),
        'torch SGD, fused': lambda params, **settings: torch.optim.SGD(params, fused=True, **settings)}


def ready(kind: Callable[..., torch.optim.Optimizer], start: list[torch.Tensor]) -> torch.optim.Optimizer:
    """An optimizer of its own copy of the weights, with gradients that are the same for all."""
    params = [nn.Parameter(weight.clone()) for weight in start]
    generator = torch.Generator(start[0].device).manual_seed(0)
    for param in params:
        param.grad = torch.randn(param.shape, generator=generator, device=param.device)
    return kind(params, lr=.1, momentum=.9, weight_decay=1e-6, nesterov=True)


def transient_gib(row: torch.optim.Optimizer) -> str:
    """Peak memory of a step beyond what stays, GiB; of a GPU."""
    if row.param_groups[0]['params'][0].device.type != 'cuda':
        return '-'
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    row.step()
    return f'{(torch.cuda.max_memory_allocated() - before) / 2**30:.3f}'


def main() -> None:
    arguments = parser(__doc__, repeats=25)
    arguments.add_argument('--depth', type=int, default=50)
    args = arguments.parse_args()
    start = weights(args.depth, args.device)
    rows = {name: ready(kind, start) for name, kind in optimizers().items()}
    seconds = interleaved({name: row.step for name, row in rows.items()}, args.repeats, args.device)
    lines = [(name, f'{1e3 * taken:.2f}', f'{taken / seconds[REFERENCE]:.2f}', transient_gib(rows[name]))
             for name, taken in seconds.items()]
    million = sum(weight.numel() for weight in start) / 1e6
    publish(f'{len(start)} tensors, {million:.1f} million weights\n\n'
            + table(('row', 'ms a step', 'ratio', 'GiB beyond'), lines), args)


if __name__ == '__main__':
    main()
