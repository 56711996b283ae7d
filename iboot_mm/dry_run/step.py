"""One training step of a config on a GPU that is not there, and what it takes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import init_default_scope
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily

from ..engine.batch_plan import BatchPlan
from ..models.modules.momentum import MomentumCopy
from .backward import Engine
from .collectives import CollectiveTrace, FakeDistributed, ranks
from .fake_gpu import DEVICE, fake_gpu
from .gpus import GPU
from .memory import MemoryTrace, Peak
from .parts import MOMENTUM, TEACHER, Parts
from .recipe import Settings, loaders, prepared
from .samples import batch, widths_of
from .waits import WaitTrace
from .watch import Observer, Watch
from .work import WorkTrace


@dataclass
class Step:
    """What a step takes on one GPU.

    Attributes:
        parameters: Weights by part.
        peak: Memory at its highest.
        work: Operations, multiply-adds and bytes by part and direction.
        waits: Waits for the device, with how often each comes.
        collectives: Exchanges, with how often each comes.
        logged: Names of what the step logs.
    """

    parameters: dict[str, int]
    peak: Peak
    work: WorkTrace
    waits: dict
    collectives: dict
    logged: list[str]


@contextmanager
def dry_run(cfg: Config, gpu: GPU, processes: int = 1, settings: Settings = Settings(),
            observers: tuple[Observer, ...] = ()) -> Iterator['DryRun']:
    """Builds a config's model and optimizer as the first of so many GPUs has them; inside, it can step.

    Args:
        cfg: Any config of this project or of MMAction2 that trains a model.
        gpu: The GPU.
        processes: How many of them.
        settings: What to change in the config.
        observers: Who else looks at a step's operations.

    Raises:
        ValueError: there is nothing to train, or the model does not know one of ``settings``.
    """
    cfg = prepared(cfg, settings)
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    if not MMLogger.check_instance_created('dry_run'):
        MMLogger.get_instance('dry_run', log_level='WARNING')  # of what building says
    traces = Traces()
    watch = Watch([*traces.all(), *observers])
    traces.waits.part = lambda: watch.part
    with ranks(processes), fake_gpu(gpu) as mode, watch:
        yield DryRun(cfg, processes, mode, watch, traces)


def dry_step(cfg: Config, gpu: GPU, plan: BatchPlan, settings: Settings = Settings(),
             observers: tuple[Observer, ...] = ()) -> Step:
    """One optimizer step of a batch plan, see :func:`dry_run` and :meth:`DryRun.step`."""
    with dry_run(cfg, gpu, plan.processes, settings, observers) as run:
        return run.step(plan.per_process, plan.accumulation)


class Traces:
    """What is observed in each step."""

    def __init__(self) -> None:
        self.memory, self.work = MemoryTrace(), WorkTrace()
        self.waits, self.collectives = WaitTrace(), CollectiveTrace()

    def all(self) -> list[Observer]:
        """Those that answer in place of the device first."""
        return [self.waits, self.collectives, self.memory, self.work]

    def restart(self) -> None:
        """A step begins."""
        for trace in self.all():
            trace.restart()


class DryRun:
    """Model and optimizer of a config on a GPU that is not there; made by :func:`dry_run`."""

    def __init__(self, cfg: Config, processes: int, mode: FakeTensorMode, watch: Watch, traces: Traces) -> None:
        self.cfg, self.mode, self.watch, self.traces = cfg, mode, watch, traces
        self.memory, self.collectives = traces.memory, traces.collectives
        self.parts = Parts(watch)
        with DEVICE, self.parts.noting_teachers():
            try:
                self.model = MODELS.build(cfg.model)
            except TypeError as error:  # stock models know no channels_last, and not each backbone with_cp
                if 'unexpected keyword' not in str(error):
                    raise
                raise ValueError(f'{cfg.filename}: {error}') from error
        if hasattr(self.model, '_set_device'):
            self.model._set_device(DEVICE)
        self.network = self.model
        if processes > 1:
            options = cfg.get('model_wrapper_cfg') or {}
            sync_bn = options.get('sync_bn') or cfg.get('sync_bn') == 'torch'
            with DEVICE:
                self.network = FakeDistributed(self.model, bool(sync_bn), options.get('bn_group'))
        self.network.train()
        self.optim_wrapper: OptimWrapper = build_optim_wrapper(self.network, dict(cfg.optim_wrapper))
        self.momentum = getattr(self.model, 'momentum', None)
        if isinstance(self.momentum, MomentumCopy):
            self.momentum.attached = True
        self.warm = False
        self.name_memory()

    def step(self, videos: int, accumulation: int = 1) -> Step:
        """An optimizer step; the first is made twice, since gradients and the optimizer's state begin with it.

        Args:
            videos: Videos of a forward pass.
            accumulation: Forward passes of an optimizer step.

        Raises:
            RuntimeError: tensors of different devices meet.
        """
        self.optim_wrapper._accumulative_counts = passes = min(accumulation, 2)
        self.optim_wrapper._inner_count = 0
        data = self.batch(videos)
        with self.observed():
            if not self.warm:
                self.optimizer_step(data, passes)
                self.name_memory()
                self.warm = True
            self.traces.restart()
            logged = self.optimizer_step(data, passes, accumulation)
        return Step(self.parameters(), self.memory.peak, self.traces.work.copy(), dict(self.traces.waits.found),
                    dict(self.collectives.found), sorted(logged))

    def batch(self, videos: int) -> dict | list:
        """One batch, or one of each loader."""
        widths = widths_of(self.cfg)
        with unset_fake_temporarily():
            data = [batch(loader, videos if number == 0 else loader['batch_size'], widths)
                    for number, loader in enumerate(loaders(self.cfg))]
        for part in data:
            inputs = part['inputs']
            part['inputs'] = (list(map(self.mode.from_tensor, inputs)) if isinstance(inputs, list)
                              else self.mode.from_tensor(inputs))
        return data if len(data) > 1 else data[0]

    def optimizer_step(self, data: dict | list, passes: int, accumulation: int = 1) -> dict:
        """One step of one or two forward passes; the first of two stands for all but the last of ``accumulation``."""
        for number in range(passes):
            logged = self.network.train_step(_copied(data), self.optim_wrapper)
            if number < passes - 1:
                self.traces.work.repeat(accumulation - 1)
                self.collectives.repeat(accumulation - 1)
        if isinstance(self.momentum, MomentumCopy):
            with self.watch.within(MOMENTUM):
                self.momentum.update(self.model.online, progress=0.)
        return logged

    @contextmanager
    def observed(self) -> Iterator[None]:
        """Inside, each part of a step is known by its name, going backward, too."""
        engine = Engine(self.watch.before_node, lambda parameter: self.memory.name([parameter.grad], 'gradients'),
                        self._exchange)
        with ExitStack() as stack:
            stack.enter_context(self.parts.marked(self.model, self.optim_wrapper.optimizer))
            stack.enter_context(engine.installed())
            backward = engine.backward

            def backpropagate(*args: Any, **kwargs: Any) -> None:
                with self.watch.backpropagating():
                    backward(*args, **kwargs)

            stack.enter_context(mock.patch.object(torch.autograd, 'backward', backpropagate))
            yield

    def _exchange(self, parameters: list[Tensor]) -> None:
        if isinstance(self.network, FakeDistributed) and self.network.exchanges_next:
            self.collectives.exchange_of_gradients([p for p in self.model.parameters() if p.requires_grad])

    def name_memory(self) -> None:
        """Says of weights and the optimizer's state what they are."""
        for part, tensors in self.parts.weights(self.model).items():
            self.memory.name(tensors, f'weights: {part}' if part in (TEACHER, MOMENTUM) else 'weights')
        state = [value for values in self.optim_wrapper.optimizer.state.values() for value in values.values()
                 if isinstance(value, Tensor)]
        self.memory.name(state, 'optimizer')

    def parameters(self) -> dict[str, int]:
        """Weights by part, without buffers."""
        return {part: sum(t.numel() for t in tensors if isinstance(t, nn.Parameter))
                for part, tensors in self.parts.weights(self.model).items()}


def _copied(data: dict | list) -> dict | list:
    return [dict(part) for part in data] if isinstance(data, list) else dict(data)
