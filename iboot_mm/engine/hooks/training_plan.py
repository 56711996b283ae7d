"""Says before training what will be trained, and soon after what it costs."""

import re
import resource
import sys
from datetime import timedelta
from pathlib import Path

import torch
from mmaction.registry import HOOKS
from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.optim import _ParamScheduler
from mmengine.optim.scheduler.param_scheduler import INF
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader, Dataset, Sampler

from ...datasets.transforms import SampleViews
from ..batch_plan import BatchPlan, whole_batch_splits
from ..loops import loaders_of
from ..model_wrapper import processes_of_bn, unwrap
from ..samplers import EndlessSampler
from .seeding import find_transforms


@HOOKS.register_module()
class TrainingPlanHook(Hook):
    """Prints the plan before training, and once measured the memory and the time per epoch and for the whole run.

    On a CPU it also logs ``memory`` (MiB, the process's peak), which mmengine logs for GPUs only.

    Example:
        >>> custom_hooks = [dict(type='TrainingPlanHook')]

    Args:
        skip: First iterations to leave out of the measurement (start of workers, choice of kernels).
        measure: Iterations to measure; a shorter run is measured over what it has.
        bn_videos: How many videos the recipe's BN sees together, so that the plan says if it does not: a number,
            ``'batch'`` for the whole batch, as in the paper's pre-training, or None where the recipe does not say.
    """

    def __init__(self, skip: int = 3, measure: int = 20, bn_videos: int | str | None = 'batch') -> None:
        self.skip = skip
        self.measure = measure
        self.bn_videos = bn_videos
        self.done = 0  # iterations of this process, which may have resumed
        self.reported = False

    def before_train(self, runner: Runner) -> None:
        """Prints batch, learning rate, what BN sees together, and what differs from the paper.

        Raises:
            ValueError: the batch is another than the one that epochs are made for, the videos are sampled in another
                number of shots than the model's, the run is too short for a motion target's clusters, or a loader
                beside the main one would end an epoch, and with it the schedule, too early.
        """
        loader, optim_wrapper = runner.train_dataloader, runner.optim_wrapper
        plan = BatchPlan(get_world_size(), loader.batch_size, optim_wrapper._accumulative_counts)
        rates = [group.get('initial_lr', group['lr']) for group in optim_wrapper.optimizer.param_groups]
        check_whole_batches(loader.sampler, plan)
        check_shots(unwrap(runner.model), loader.dataset)
        left = (runner.max_iters - runner.iter) * plan.processes * plan.per_process
        check_clusters(unwrap(runner.model), loader.dataset, left)
        steps = len(loader) // plan.accumulation
        runner.logger.info('\n'.join([
            'Training plan', f'  batch          {plan}',
            f'  learning rate  {max(rates):g} at its peak ({type(optim_wrapper.optimizer).__name__})',
            f'  length         {runner.max_epochs} epochs of {steps} steps over {len(loader.dataset)} videos',
            *[f'  {line}' for line in getattr(loader.sampler, 'describe', list)()],
            *[f'  {line}' for line in describe_others(loaders_of(runner.train_loop), plan)],
            *[f'  {line}' for line in describe_bn(plan, processes_of_bn(runner.model), self.bn_videos)]]))
        length = steps if getattr(runner.train_loop, 'schedules_count_steps', False) else len(loader)
        if warning := describe_schedule_end(runner.param_schedulers, runner.max_epochs, length):
            runner.logger.warning(warning)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None,
                         outputs: dict | None = None) -> None:
        """Measures, and reports once."""
        self.done += 1
        device = next(runner.model.parameters()).device
        if device.type == 'cpu':
            runner.message_hub.update_scalar('train/memory', round(peak_memory_gib(device) * 1024))
        if self.done == 1:  # the logger's first line may be minutes away
            seconds = runner.message_hub.get_scalar('train/time').current()
            loss = runner.message_hub.get_scalar('train/loss').current()
            runner.logger.info(f'First iteration done after {seconds:.1f} s, loss {loss:.4f}; '
                               f'{runner.max_iters - runner.iter - 1} to go')
        enough = self.done == self.skip + self.measure
        epoch_over = batch_idx + 1 == len(runner.train_dataloader) and self.done > self.skip
        if not self.reported and (enough or epoch_over or self.is_last_train_iter(runner)):
            self.reported = True
            # IterTimerHook's times leave evaluation out.
            times = runner.message_hub.get_scalar('train/time')
            self._report(runner, float(times.mean(max(self.done - self.skip, 1))), peak_memory_gib(device))

    def _report(self, runner: Runner, seconds: float, memory: float) -> None:
        epoch = seconds * len(runner.train_dataloader)
        left = seconds * (runner.max_iters - runner.iter - 1)
        if is_main_process():
            runner.logger.info(
                f'Measured: {seconds:.2f} s per iteration, {_clock(epoch)} per epoch, {_clock(left)} for the rest of '
                f'the run (evaluation apart); peak memory {memory:.1f} GiB per process')


def describe_bn(plan: BatchPlan, processes: int | None, wanted: int | str | None = 'batch') -> list[str]:
    """Lines on how many videos batch normalisation sees together, and how that differs from the paper.

    Args:
        plan: The batch plan.
        processes: How many processes BN normalises over; None if the model has none that sees the batch.
        wanted: How many it sees in the recipe, ``'batch'`` for the whole batch; None if that is unknown.
    """
    if processes is None:
        return []
    together = plan.per_process * processes
    lines = [f'BN sees        {together} videos together' + (' (synchronised)' if processes > 1 else '')]
    if wanted == 'batch' and together != plan.global_batch:
        splits = ' or '.join(whole_batch_splits(plan.global_batch)) or f'{plan.global_batch} on one'
        lines.append(f'differs from the paper: its BN sees the whole batch of {plan.global_batch}, which needs '
                     f'{splits} (GPUs x videos) with SyncBN and no accumulation')
    elif wanted not in ('batch', None, together):
        lines.append(f'differs from the recipe: its BN sees {wanted} videos together, whatever the batch')
    return lines


def describe_schedule_end(schedulers: list[_ParamScheduler] | dict | None, epochs: int, steps: int) -> str | None:
    """A sentence if the schedules of the learning rate end at another epoch than the training; None if they do not.

    Args:
        schedulers: The run's.
        epochs: Epochs of the training.
        steps: Steps of a schedule per epoch, unless it counts epochs.
    """
    ends = [(scheduler.end / (1 if scheduler.by_epoch else steps), number, type(scheduler).__name__)
            for number, scheduler in enumerate(schedulers if isinstance(schedulers, list) else [])
            if scheduler.param_name == 'lr']
    end, number, name = max(ends, default=(epochs, 0, ''))
    if round(end) == epochs or end * steps >= INF or name in ('LinearLR', 'ConstantLR'):  # a warm-up may be all
        return None
    return (f'training ends after {epochs} epochs, the schedule of its learning rate ({name}) after {end:g}: '
            + ('the rate stays where it ends' if end < epochs else 'the rate stops halfway')
            + f'; to have the whole schedule in these epochs, set param_scheduler.{number}.end={epochs} too')


def check_whole_batches(sampler: Sampler, plan: BatchPlan) -> None:
    """Compares the global batch with the one that an ``EpochSampler`` cuts epochs into.

    ``GlobalBatchTrainLoop`` makes them equal; with another loop both are the config's.

    Raises:
        ValueError: they differ.
    """
    wanted = getattr(sampler, 'multiple_of', 1)
    if wanted not in (1, plan.global_batch):
        raise ValueError(f'the batch is {plan}, but train_dataloader.sampler.multiple_of, for which learning rate and '
                         f'schedule are, is {wanted}: set batch_size of each loader and optim_wrapper.'
                         f'accumulative_counts so that {plan.processes} x batch_size x accumulative_counts is {wanted}'
                         f', or multiple_of to {plan.global_batch} and another learning rate')


def check_shots(model: nn.Module, dataset: Dataset) -> None:
    """Compares VIVI's number of shots with the sampling: 8 views divide into 2 shots as well as into 4.

    Raises:
        ValueError: they differ.
    """
    wanted = getattr(model, 'num_shots', None)
    for step in find_transforms(dataset) if wanted is not None else ():
        if isinstance(step, SampleViews) and (sampled := getattr(step, 'num_shots', 1)) != wanted:
            raise ValueError(f'model.num_shots is {wanted}, but {type(step).__name__} of the training pipeline gives '
                             f'the views of {sampled} shot{"s" * (sampled > 1)}: set model.num_shots={sampled}, or '
                             f'sample with SampleShots(num_shots={wanted})')


def check_clusters(model: nn.Module, dataset: Dataset, videos: int) -> None:
    """Whether so many videos give the clusters of a motion target the features to be found in; else none is learned.

    Raises:
        ValueError: they do not.
    """
    motion = getattr(model, 'motion', None)
    clusters = getattr(motion, 'clusters', None)
    if clusters is None:
        return
    views = next(step.num_views for step in find_transforms(dataset) if isinstance(step, SampleViews))
    features = videos * (max(1, views - 1) if motion.own_clip else 1)
    if features < clusters.missing:
        raise ValueError(f'the motion target finds its clusters in {clusters.missing} features, and this run shows the '
                         f'teacher {features}, so no motion would be learned: train longer, or set model.motion.bank '
                         f'to at most {features} (and model.motion.clusters to no more)')


def describe_others(loaders: list[DataLoader], plan: BatchPlan) -> list[str]:
    """A line for each loader beside the main one, which is the first of ``loaders``.

    Raises:
        ValueError: one of them does not last as long as the main one.
    """
    lines = []
    for loader in loaders[1:]:
        # mmengine's own endless sampler, whose length is the dataset's, is exhausted with the first epoch.
        if not isinstance(loader.sampler, EndlessSampler) and (
                isinstance(loader.sampler, InfiniteSampler) or len(loader) < len(loaders[0])):
            raise ValueError(
                f'train_cfg.other_loaders: the {type(loader.sampler).__name__} of {type(loader.dataset).__name__} does '
                f'not last for the {len(loaders[0])} batches of each epoch, which would end there: give it '
                "sampler=dict(type='EndlessSampler')")
        step = BatchPlan(plan.processes, loader.batch_size, plan.accumulation).global_batch
        lines.append(f'beside them    {step} of {len(loader.dataset)} samples per step '
                     f'({type(loader.dataset).__name__})')
    return lines


def peak_memory_gib(device: torch.device) -> float:
    """Peak memory of this process in GiB: allocated on the GPU, or resident on a CPU."""
    if device.type == 'cuda':
        return torch.cuda.max_memory_allocated(device) / 2**30
    if sys.platform.startswith('linux'):  # where getrusage begins at what the process that started this one held
        peak = re.search(r'^VmHWM:\s*(\d+) kB', Path('/proc/self/status').read_text(), re.M)
        return int(peak[1]) * 1024 / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**30  # bytes on macOS


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
