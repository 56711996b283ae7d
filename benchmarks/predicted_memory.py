"""How far a dry run can be trusted: its memory beside what torch's allocator really gave out.

    python benchmarks/predicted_memory.py [--configs mini/iboot_r18_digits ... --videos 8]

Each config makes two optimizer steps on this CPU, on noise, under torch's profiler, which logs every allocation of the
second. Beside its peak stands that of the dry run (`iboot_mm.dry_run`) of the same step on a GPU that is not there.
Multiply-adds are compared by tools/analysis/count_backbones.py.
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


def allocated(cfg: Config, videos: int) -> int:
    """Bytes that torch's CPU allocator holds at most in the second step: weights, state and all that the step makes."""
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
    now = peak = 0
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == '[memory]']
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        peak = max(peak, now)
    return peak + sum(tensor.numel() * tensor.element_size() for tensor in held if isinstance(tensor, Tensor))


def _weights(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]


def compared(name: str, videos: int) -> tuple[str, float, float, float]:
    """Name, MB allocated, MB of the dry run, and the relative difference."""
    cfg = Config.fromfile(ROOT / f'{name}.py')
    with mock.patch.dict(views.CLIPS_TOGETHER, cpu=views.CLIPS_TOGETHER['cuda']):  # as on a GPU
        real = allocated(cfg, videos)
    found = dry_step(cfg, gpu_named('v100-32'), BatchPlan(1, videos, 1)).peak.bytes
    return name, real / 1e6, found / 1e6, found / real - 1


def main() -> None:
    arguments: argparse.ArgumentParser = parser(__doc__, repeats=1)
    arguments.add_argument('--configs', nargs='+', default=CONFIGS, help='of configs/mini')
    arguments.add_argument('--videos', type=int, default=8)
    args = arguments.parse_args()
    MMLogger.get_instance('dry_run', log_level='WARNING')
    torch.manual_seed(0)
    rows = [compared(name, args.videos) for name in args.configs]
    worst = max(abs(row[3]) for row in rows)
    text = table(('config', 'allocated, MB', 'dry run, MB', 'difference'),
                 [(name, f'{real:.1f}', f'{found:.1f}', f'{off:+.1%}') for name, real, found, off in rows])
    publish(f'### Memory of a step of {args.videos} videos\n\n{text}\n\nWithin {worst:.1%}.', args)


if __name__ == '__main__':
    sys.exit(main())
