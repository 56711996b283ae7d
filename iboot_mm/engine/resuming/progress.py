"""Where a run stood, in epochs: iterations are another unit for each split of the batch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction

from mmengine.optim import _ParamScheduler


def epochs_done(meta: dict, runtime_info: dict) -> Fraction:
    """Epochs that a checkpoint's run had done, exactly.

    Args:
        meta: ``epoch`` (whole epochs done) and ``iter`` (forward passes of a process done).
        runtime_info: The message hub's; ``max_iters`` over ``max_epochs`` is how long its epochs were.
    """
    epoch, iteration = int(meta['epoch']), int(meta['iter'])
    length = Fraction(int(runtime_info.get('max_iters', 0)), max(int(runtime_info.get('max_epochs', 1)), 1))
    share = (iteration - epoch * length) / length if length else 0
    # mmengine went on counting in the old unit where a run was resumed with another split: then the epoch counts.
    return epoch + share if 0 <= share <= 1 else Fraction(epoch)


def place(done: Fraction, iterations: int, accumulation: int) -> tuple[int, int] | None:
    """Epoch and iteration of a run that has done so many epochs.

    Args:
        done: Epochs done.
        iterations: Forward passes of a process per epoch.
        accumulation: Forward passes per optimizer step.

    Returns:
        Whole epochs and all iterations done; None if that lies inside an optimizer step.
    """
    iteration = done * iterations
    if done.denominator > 1 and iteration % accumulation:
        return None
    return int(done), int(iteration)


def advance(schedulers: Sequence[_ParamScheduler], done: Fraction, steps: int) -> None:
    """Moves schedules that stand at their beginning to where they stand after so many epochs.

    They are stepped there one by one, as in training: mmengine's have no closed form, and so the values are bit for bit
    those of a run that was never stopped.

    Args:
        schedulers: The schedules.
        done: Epochs done.
        steps: Steps of a schedule per epoch, of those that do not count epochs.
    """
    with _distinct_groups(schedulers):
        _step(schedulers, int(done * steps), steps)


def _step(schedulers: Sequence[_ParamScheduler], times: int, steps: int) -> None:
    by_step = [scheduler for scheduler in schedulers if not scheduler.by_epoch]
    by_epoch = [scheduler for scheduler in schedulers if scheduler.by_epoch]
    for scheduler in schedulers:
        scheduler.optimizer._global_step = 0  # else it warns that no optimizer step came before its own
    for number in range(1, times + 1):
        for scheduler in by_step:
            scheduler.step()
        if number % steps == 0:
            for scheduler in by_epoch:
                scheduler.step()


@contextmanager
def _distinct_groups(schedulers: Sequence[_ParamScheduler]) -> Iterator[None]:
    """Shows schedules one of each kind of parameter groups: there may be a group for each tensor, all alike."""
    wrapper = next((scheduler.optimizer for scheduler in schedulers), None)
    if wrapper is None:
        yield
        return
    optimizer, groups = getattr(wrapper, 'optimizer', wrapper), wrapper.param_groups
    real = len(optimizer.param_groups)  # mmengine's wrapper adds the settings that all groups are made from
    kinds: dict[str, int] = {}
    kind = [kinds.setdefault(repr(_options(group)), len(kinds)) for group in groups[:real]]
    kind += range(len(kinds), len(kinds) + len(groups) - real)
    first = [kind.index(number) for number in range(max(kind) + 1)]
    all_groups, optimizer.param_groups = optimizer.param_groups, [groups[i] for i in first[:len(kinds)]]
    base_values = [scheduler.base_values for scheduler in schedulers]
    for scheduler, values in zip(schedulers, base_values):
        scheduler.base_values = [values[i] for i in first]
    yield
    optimizer.param_groups = all_groups
    for group, number in zip(all_groups, kind):
        group.update(_options(groups[first[number]]))
    for scheduler, values in zip(schedulers, base_values):
        scheduler.base_values = values
        scheduler._last_value = [scheduler._last_value[number] for number in kind]


def _options(group: dict) -> dict:
    return {name: value for name, value in group.items() if name != 'params'}
