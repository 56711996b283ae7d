"""How far a dry run can be trusted: its memory beside what torch's allocator really gave out.

    python benchmarks/predicted_memory.py [--configs iboot_r18_digits ... --videos 8]

Each config makes two optimizer steps on this CPU, on noise, under torch's profiler, which logs every allocation of the
second. Beside its peak stands that of the dry run (`iboot_mm.dry_run`) of the same step on a GPU that is not there.

Convolutions of oneDNN copy what they read and write into a layout of their own, and let go of the copies before they
return. A GPU's do not: cuDNN has workspaces instead, which no dry run knows and for which docs/gpus.md states an
allowance. So the peak stands there twice, with what convolutions hold only while they run and without; the second is
the one that the dry run tells. Multiply-adds are compared by tools/analysis/count_backbones.py.
"""

import argparse
import gc
import sys
from pathlib import Path
from unittest import mock

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from side_by_side import parser, publish, table
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

import iboot_mm  # noqa: F401  (registers the components)
from iboot_mm.dry_run.gpus import gpu_named
from iboot_mm.dry_run.recipe import Settings, loaders, prepared
from iboot_mm.dry_run.samples import batch, widths_of
from iboot_mm.dry_run.step import dry_step
from iboot_mm.engine.batch_plan import BatchPlan
from iboot_mm.models.modules.momentum import MomentumCopy
from iboot_mm.models.preprocessors import views
from iboot_mm.models.teachers import FrozenTeacher

CONFIGS = ('iboot_r18_digits', 'iboot_r18_digits_cached', 'byol_r18_digits', 'moco_r18_digits', 'simclr_r18_digits',
           'swav_r18_digits', 'advise_tmm_digits', 'vivi_ex2_digits', 'vivi_rot4_digits',
           'downstream/charades_digits', 'downstream/linear_digits', 'downstream/finetune_digits')
ROOT = Path(__file__).parents[1] / 'configs' / 'mini'


CONVOLUTIONS = ('aten::convolution', 'aten::convolution_backward')


def allocated(cfg: Config, videos: int) -> tuple[int, int]:
    """Bytes that torch's CPU allocator holds at most in the second step: weights, state and all that the step makes.

    Returns:
        At any time, and at any time but inside of a convolution.
    """
    cfg = prepared(cfg, Settings())
    init_default_scope('mmaction')
    teachers: list[FrozenTeacher] = []
    build = FrozenTeacher.__init__

    def noting(teacher: FrozenTeacher, *args, **kwargs) -> None:
        build(teacher, *args, **kwargs)
        teachers.append(teacher)

    with mock.patch.object(FrozenTeacher, '__init__', noting):
        model = MODELS.build(cfg.model).train()
    wrapper = build_optim_wrapper(model, dict(cfg.optim_wrapper))
    momentum = getattr(model, 'momentum', None)
    if isinstance(momentum, MomentumCopy):
        momentum.attached = True
    data = batch(loaders(cfg)[0], videos, widths_of(cfg))

    def step() -> None:
        model.train_step(dict(data), wrapper)
        if isinstance(momentum, MomentumCopy):
            momentum.update(model.online, progress=0.)

    step()
    gc.collect()
    state = [value for values in wrapper.optimizer.state.values() for value in values.values()]
    held = [*model.parameters(), *model.buffers(), *state, *(w for t in teachers for w in _weights(t.network))]
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        step()
    always = sum(tensor.numel() * tensor.element_size() for tensor in held if isinstance(tensor, Tensor))
    return tuple(always + peak for peak in _peaks(profiler.profiler.kineto_results.events()))


def _peaks(events: list) -> tuple[int, int]:
    """The most bytes that a log of allocations holds, at any time and outside of convolutions."""
    # A convolution's end comes before what is allocated after it, and its start before what is allocated in it.
    times = [(event.start_ns(), 1, event.nbytes(), 0) for event in events if event.name() == '[memory]']
    for event in events:
        if event.name() in CONVOLUTIONS:
            times += [(event.start_ns(), 0, 0, 1), (event.start_ns() + event.duration_ns(), 2, 0, -1)]
    now = inside = peak = outside = 0
    for _, _, size, change in sorted(times):
        now += size
        inside += change
        peak = max(peak, now)
        outside = outside if inside else max(outside, now)
    return peak, outside


def _weights(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]


def compared(name: str, videos: int) -> tuple[str, float, float, float, float]:
    """Name, MB allocated, MB without what convolutions hold, MB of the dry run, and its relative difference."""
    cfg = Config.fromfile(ROOT / f'{name}.py')
    with mock.patch.dict(views.CLIPS_TOGETHER, cpu=views.CLIPS_TOGETHER['cuda']):  # as on a GPU
        peak, outside = allocated(cfg, videos)
    found = dry_step(cfg, gpu_named('v100-32'), BatchPlan(1, videos, 1)).peak.bytes
    return name, peak / 1e6, outside / 1e6, found / 1e6, found / outside - 1


def main() -> None:
    arguments: argparse.ArgumentParser = parser(__doc__, repeats=1)
    arguments.add_argument('--configs', nargs='+', default=CONFIGS, help='of configs/mini')
    arguments.add_argument('--videos', type=int, default=8)
    args = arguments.parse_args()
    MMLogger.get_instance('dry_run', log_level='WARNING')
    torch.manual_seed(0)
    rows = [compared(name, args.videos) for name in args.configs]
    worst = max(abs(row[-1]) for row in rows)
    text = table(('config', 'allocated, MB', 'outside of convolutions, MB', 'dry run, MB', 'difference'),
                 [(name, *(f'{size:.1f}' for size in sizes), f'{off:+.1%}') for name, *sizes, off in rows])
    publish(f'### Memory of a step of {args.videos} videos\n\n{text}\n\nWithin {worst:.1%}.', args)


if __name__ == '__main__':
    sys.exit(main())
