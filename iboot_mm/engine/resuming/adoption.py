"""Puts a checkpoint into the units and settings of the run that goes on from it, before mmengine reads it."""

from fractions import Fraction

from mmengine.dist import get_world_size
from mmengine.optim import OptimWrapperDict
from mmengine.runner import EpochBasedTrainLoop, Runner

from ...weights.state_dicts import misfits
from ..batch_plan import BatchPlan
from ..loops import GlobalBatchTrainLoop
from ..model_wrapper import unwrap
from .progress import advance, epochs_done, place
from .settings import changed_settings, read_settings, settle_optimizer


def describe_run(runner: Runner) -> dict:
    """What a checkpoint says of its run beside mmengine's own entries: videos per optimizer step and in the dataset."""
    return dict(global_batch=_plan(runner).global_batch, videos=len(runner.train_dataloader.dataset))


def adopt(runner: Runner, checkpoint: dict) -> None:
    """Rewrites a checkpoint, in place, as this run would have written it at the same epoch.

    From the file come the weights, the optimizer's state, the seed, the figures logged so far, and how many epochs were
    done. From the config come the split of the batch, the learning rate, its schedule, the weight decay and the length;
    the schedule goes on where it stands after as many epochs. What differs is logged.

    Args:
        runner: A runner whose loop, model, optimizer and schedules are built.
        checkpoint: As ``CheckpointHook`` wrote it; one of an older version does not say how its batch was.

    Raises:
        ValueError: its weights or its optimizer are others, its step has another number of videos, its seed is another,
            it has more epochs than the run, or it stopped inside an epoch at a step that this run does not have.
    """
    if not isinstance(runner.train_loop, EpochBasedTrainLoop) or isinstance(runner.optim_wrapper, OptimWrapperDict):
        return
    file, meta, info = runner._load_from, checkpoint['meta'], checkpoint['message_hub'].get('runtime_info', {})
    done, settings = epochs_done(meta, info), read_settings(str(meta.get('cfg', '')))
    _check_weights(runner, checkpoint['state_dict'], file)
    _check_optimizer(runner, settings, file)
    _check_run(runner, meta, done, file)
    meta['epoch'], meta['iter'] = _place(runner, done, file)
    _follow_schedule(runner, checkpoint, done)
    settle_optimizer(checkpoint['optimizer'], runner.optim_wrapper.state_dict(), file)
    if changes := changed_settings(settings, read_settings(runner.cfg.pretty_text)):
        runner.logger.warning('\n'.join([f'What differs from the run of {file}; from here on the config counts:',
                                         *(f'  {line}' for line in changes)]))


def _plan(runner: Runner) -> BatchPlan:
    return BatchPlan(get_world_size(), runner.train_dataloader.batch_size, runner.optim_wrapper._accumulative_counts)


def _check_weights(runner: Runner, saved: dict, file: str) -> None:
    own = unwrap(runner.model).state_dict()
    saved = {key.removeprefix('module.'): value for key, value in saved.items()}
    if problem := next(misfits(own, saved, ''), None):
        raise ValueError(f'{file} is of another model ({problem}): set model to what it was trained with, or begin a '
                         'new run from its weights (load_from, without --resume)')


def _check_optimizer(runner: Runner, settings: dict, file: str) -> None:
    there = str(settings.get('optim_wrapper.optimizer.type', '')).rpartition('.')[2]
    here = type(runner.optim_wrapper.optimizer).__name__
    if there not in ('', here):
        raise ValueError(f'{file} was trained with an optimizer of type {there}, whose state is in it, and '
                         f'optim_wrapper.optimizer.type is {here}: set it back')


def _check_run(runner: Runner, meta: dict, done: Fraction, file: str) -> None:
    there, here = meta.get('run') or {}, describe_run(runner)
    scales = bool((runner.auto_scale_lr or {}).get('enable', False))
    batch = there.get('global_batch', here['global_batch'])
    if batch != here['global_batch'] and not scales:
        raise ValueError(f'{file} was trained with {batch} videos per step, this run has {here["global_batch"]}: set '
                         f'train_cfg.global_batch={batch}, for which its learning rate is, or pass --auto-scale-lr')
    videos = there.get('videos', here['videos'])
    if done.denominator > 1 and (videos, batch) != (here['videos'], here['global_batch']):
        raise ValueError(f'{file} stopped inside an epoch of {videos} videos in steps of {batch}, this run has '
                         f'{here["videos"]} in steps of {here["global_batch"]}: resume from the end of an epoch')
    if videos != here['videos']:
        runner.logger.warning(f'{file} was trained on {videos} videos, this run has {here["videos"]}: an epoch is from '
                              'here on as long as they make it.')
    wanted, seed = runner._randomness_cfg.get('seed'), meta.get('seed')
    if None not in (wanted, seed) and wanted != seed:
        raise ValueError(f'{file} was trained with seed {seed}, which decides the order of its videos, and --seed or '
                         f'randomness.seed is {wanted}: leave it out')
    if done > runner.max_epochs:
        raise ValueError(f'{file} has done {float(done):g} epochs and train_cfg.max_epochs is {runner.max_epochs}: '
                         'nothing is left to train')


def _place(runner: Runner, done: Fraction, file: str) -> tuple[int, int]:
    found = place(done, len(runner.train_dataloader), _plan(runner).accumulation)
    if found is None:
        raise ValueError(f'{file} stopped {float(done):g} epochs into training, where this run has no step: resume '
                         'from the end of an epoch, or with the batch that it was trained with')
    return found


def _follow_schedule(runner: Runner, checkpoint: dict, done: Fraction) -> None:
    loop, schedulers = runner.train_loop, runner.param_schedulers or []
    if any(getattr(scheduler, 'need_val_args', False) for scheduler in schedulers):
        # They follow what was measured, which is in the file alone.
        saved, own = checkpoint['optimizer']['param_groups'], runner.optim_wrapper.optimizer.param_groups
        for there, here in zip(saved, own):
            here.update((name, there[name]) for name in ('lr', 'initial_lr') if name in there)
        return
    in_steps = isinstance(loop, GlobalBatchTrainLoop) and loop.schedules_count_steps
    advance(schedulers, done, len(loop.dataloader) // (loop.plan.accumulation if in_steps else 1))
    checkpoint['param_schedulers'] = [scheduler.state_dict() for scheduler in schedulers]
