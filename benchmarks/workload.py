"""The training step that benchmarks measure: a method with its optimizer, on clips of noise."""

import argparse
import gc
import sys
from collections.abc import Callable
from contextlib import contextmanager

import torch
from mmaction.registry import MODELS
from mmengine.logging import MMLogger
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import init_default_scope
from side_by_side import figures_of
from torch import Tensor, nn

import iboot_mm  # noqa: F401  (registers the components)
from iboot_mm.engine.allocator import keep_freed_memory
from iboot_mm.engine.hooks.training_plan import peak_memory_gib
from iboot_mm.engine.optimizers import LARS

METHODS = dict(iboot='IBoot', byol='VideoBYOL', moco='VideoMoCo', simclr='VideoSimCLR', swav='VideoSwAV')
# What changes from plain fp32, one at a time and all of those that can go together.
LEVERS = dict(
    fp32={}, bf16=dict(dtype='bfloat16'), fp16=dict(dtype='float16'), teacher_bf16=dict(teacher='bf16'),
    channels_last=dict(channels_last=True), compile=dict(compile=True), one_pass=dict(one_pass=True),
    checkpointing=dict(with_cp=True),
    all=dict(dtype='bfloat16', teacher='bf16', channels_last=True, compile=True))
# Options that say how large a workload is.
SIZES = ('depth', 'width', 'size', 'frames', 'teacher')


class CPUAutocast(OptimWrapper):
    """What mmengine's ``AmpOptimWrapper`` does in bfloat16; that one refuses to be built without a GPU."""

    @contextmanager
    def optim_context(self, model: nn.Module):
        with super().optim_context(model), torch.autocast('cpu', torch.bfloat16):
            yield


class Workload:
    """A method, ready to step.

    Args:
        method: A key of ``METHODS``.
        args: Options of :func:`add_options`.
        videos: Batch.
        rho: Clips of a video, iBoot's reference clip not counted.
        dtype: Of autocast; None for none.
        teacher: iBoot's teacher's precision.
        with_cp: Recompute blocks of the backbone.
        **options: Of the method.
    """

    def __init__(self, method: str, args: argparse.Namespace, videos: int, rho: int = 2, dtype: str | None = None,
                 teacher: str = 'fp32', with_cp: bool = False, **options) -> None:
        init_default_scope('mmaction')
        torch.manual_seed(0)
        if method == 'iboot':
            options['teacher'] = dict(type='OpenCLIPTeacher', model=args.teacher, pretrained=False, precision=teacher)
        self.model = MODELS.build(dict(
            type=METHODS[method], feature_dim=args.width * (8 if args.depth < 50 else 32),
            backbone=dict(type='SlowResNet', depth=args.depth, base_channels=args.width, with_cp=with_cp), **options))
        self.model.init_weights()
        self.device = torch.device(args.device)
        self.model.to(self.device).train()
        self.network = self.model  # what takes the step; the distributed wrapper, where there is one
        self.momentum = getattr(self.model, 'momentum', None)
        if self.momentum is not None:
            self.momentum.attached = True
        self.optim_wrapper = self._optim_wrapper(dtype)
        self.shape = (videos, rho + (method == 'iboot'), 3, args.frames, args.size, args.size)
        self.steps = 0

    def _optim_wrapper(self, dtype: str | None) -> OptimWrapper:
        # iBoot's optimizer with a constant learning rate.
        optimizer = LARS([p for p in self.model.parameters() if p.requires_grad], lr=1., weight_decay=1e-6,
                         nesterov=True)
        if dtype is None:
            return OptimWrapper(optimizer)
        if self.device.type == 'cpu':
            if dtype != 'bfloat16':
                raise ValueError(f'{dtype} is for GPUs only')
            return CPUAutocast(optimizer)
        return AmpOptimWrapper(optimizer=optimizer, dtype=dtype, loss_scale='dynamic' if dtype == 'float16' else 1.)

    def batch(self) -> dict:
        """A batch as the loader gives it, another one each step: uint8 ``(N, V, C, T, H, W)``."""
        generator = torch.Generator().manual_seed(self.steps)
        views = torch.randint(256, self.shape, dtype=torch.uint8, generator=generator)
        seeds = torch.arange(views.shape[0] * views.shape[1]).view(views.shape[:2]) + 1000 * self.steps
        return dict(inputs=list(views), data_samples=[dict(view_seeds=row) for row in seeds.tolist()])

    def step(self, data: dict | None = None) -> dict[str, Tensor]:
        """One optimizer step as the runner and its momentum hook make it; what is logged."""
        logged = self.network.train_step(self.batch() if data is None else data, self.optim_wrapper)
        if self.momentum is not None:
            self.momentum.update(self.model.online, progress=0.)
        self.steps += 1
        return logged


def add_options(parser: argparse.ArgumentParser) -> None:
    """The size of a workload; that of the goals by default, which depends on the device."""
    parser.add_argument('--depth', type=int, default=50, help='of the Slow network')
    parser.add_argument('--width', type=int, default=64, help='channels of its first stage')
    parser.add_argument('--size', type=int, help='pixels; 112, on a GPU 224')
    parser.add_argument('--frames', type=int, default=8)
    parser.add_argument('--teacher', default='ViT-B-16', help="iBoot's, an open_clip model with random weights")


def prepare(args: argparse.Namespace) -> None:
    """Completes the options, and sets the process up as ``tools/train.py`` and the base configs do."""
    on_gpu = torch.device(args.device).type == 'cuda'
    MMLogger.get_instance('benchmark', log_level='WARNING')  # of building a model
    args.size = args.size or (224 if on_gpu else 112)
    if on_gpu:
        torch.backends.cudnn.benchmark = True
    else:
        keep_freed_memory()


def largest_batch(fits: Callable[[int], bool]) -> int:
    """The largest batch that fits, found by doubling and then halving; 0 if 1 does not."""
    low, high = 0, 1
    while fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def fits(method: str, args: argparse.Namespace, videos: int) -> bool:
    """Whether the GPU has the memory for steps of so many videos."""
    try:
        workload = Workload(method, args, videos)
        for _ in range(2):  # the optimizer's state exists from the first on
            workload.step()
        return True
    except torch.cuda.OutOfMemoryError:
        return False
    finally:
        workload = None
        gc.collect()
        torch.cuda.empty_cache()


def peak_and_losses(build: Callable[[], Workload], steps: int) -> tuple[float, list[float]]:
    """Peak memory in GiB of a workload in a process that had none, its libraries not counted, and each step's loss."""
    before = peak_memory_gib(torch.device('cpu'))
    workload = build()
    losses = [float(workload.step()['loss'].detach()) for _ in range(steps)]
    on_cpu = workload.device.type == 'cpu'
    return peak_memory_gib(workload.device) - on_cpu * before, losses


def own_process(args: argparse.Namespace, *options: object) -> list[float]:
    """Runs this script anew at the same size, with options that make it print figures; those of its last line."""
    sizes = [f'--{name}={getattr(args, name)}' for name in ('device', *SIZES)]
    return figures_of(sys.argv[0], *options, *sizes)
