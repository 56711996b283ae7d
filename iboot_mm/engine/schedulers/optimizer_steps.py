"""Schedules that count optimizer steps: how a batch is split over processes and accumulation does not move them."""

from mmengine.hooks import ParamSchedulerHook
from mmengine.runner import Runner


class StepScheduleHook(ParamSchedulerHook):
    """mmengine's ``ParamSchedulerHook``, which acts once per optimizer step instead of once per forward pass."""

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None,
                         outputs: dict | None = None) -> None:
        """Moves the schedules on if this iteration stepped the optimizer."""
        if runner.optim_wrapper.should_update():
            super().after_train_iter(runner, batch_idx, data_batch, outputs)


def count_optimizer_steps(runner: Runner, steps: int, epochs: int) -> bool:
    """Lets the schedules of a run that is being built count optimizer steps.

    mmengine's count forward passes. With accumulation a warm-up then moves within a step, and a run that is resumed
    with another accumulation finds a schedule in other units.

    Args:
        runner: The runner, whose ``param_schedulers`` are still configs.
        steps: Optimizer steps per epoch.
        epochs: Epochs of the run.

    Returns:
        Whether they do: not if the run has a hook of its own for them, or they are built already.
    """
    configs = runner.param_schedulers or []
    configs = configs if isinstance(configs, (list, tuple)) else [configs]
    numbers = [i for i, hook in enumerate(runner.hooks) if isinstance(hook, ParamSchedulerHook)]
    if (any(type(runner.hooks[i]) is not ParamSchedulerHook for i in numbers)
            or not all(isinstance(config, dict) and 'type' in config for config in configs)):
        return False
    for i in numbers:
        priority, runner.hooks[i] = runner.hooks[i].priority, StepScheduleHook()
        runner.hooks[i].priority = priority
    if configs:
        runner.param_schedulers = [_in_steps(config, steps, epochs) for config in configs]
    return True


def _in_steps(config: dict, steps: int, epochs: int) -> dict:
    """A schedule's config, with steps where mmengine would put forward passes."""
    if config.get('convert_to_iter_based'):
        return {'epoch_length': steps, **config}
    return config if config.get('by_epoch', True) else {'end': epochs * steps, **config}
