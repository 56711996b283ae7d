"""How a fixed global batch is spread over processes and accumulation steps: arithmetic only."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BatchPlan:
    """One optimizer step: ``processes x per_process x accumulation`` videos.

    Attributes:
        processes: Processes (GPUs).
        per_process: Videos per process and forward pass.
        accumulation: Forward passes per optimizer step.
    """

    processes: int
    per_process: int
    accumulation: int

    @property
    def global_batch(self) -> int:
        """Videos per optimizer step."""
        return self.processes * self.per_process * self.accumulation

    @property
    def together(self) -> int:
        """Videos in one forward pass over all processes: what synchronised BN sees together."""
        return self.processes * self.per_process

    def __str__(self) -> str:
        return (f'{self.processes} x {self.per_process} x {self.accumulation} = {self.global_batch} videos per step '
                '(processes x videos per process x accumulation)')


def plan_batch(global_batch: int, processes: int, most_per_process: int) -> BatchPlan:
    """Spreads a global batch: the largest batch per process that fits and divides its share, the rest accumulates.

    Args:
        global_batch: Videos per optimizer step, fixed by the recipe.
        processes: Processes (GPUs).
        most_per_process: Most videos that one process holds at a time (``train_dataloader.batch_size``).

    Raises:
        ValueError: the batch cannot be split evenly, or a number is no whole one above 0; says what to set.
    """
    numbers = (global_batch, processes, most_per_process)
    if not all(isinstance(number, int) and number >= 1 for number in numbers):
        raise ValueError(f'global_batch={global_batch!r}, {processes} processes and train_dataloader.batch_size='
                         f'{most_per_process!r} must all be whole numbers of at least 1')
    share, rest = divmod(global_batch, processes)
    if rest:
        nearest = [n for n in range(processes, 0, -1) if global_batch % n == 0][0]
        raise ValueError(
            f'a global batch of {global_batch} videos cannot be split over {processes} processes: start '
            f'{nearest}, or pass --auto-scale-lr to train with the batch that train_dataloader.batch_size gives')
    per_process = max(n for n in range(1, min(share, most_per_process) + 1) if share % n == 0)
    return BatchPlan(processes, per_process, share // per_process)


def check_use(plan: BatchPlan, most_per_process: int) -> None:
    """Compares a split with what a process holds: BN sees few videos, and all is slower, where little of it is used.

    Asking for no more than what is used (``train_dataloader.batch_size``) is taken as agreement.

    Raises:
        ValueError: less than half is used; names the next better settings.
    """
    share = plan.per_process * plan.accumulation
    if 2 * plan.per_process >= min(most_per_process, share):
        return
    batch, processes = plan.global_batch, plan.processes
    more = min(n for n in range(most_per_process + 1, share + 1) if share % n == 0)
    better = max((plan_batch(batch, n, most_per_process) for n in range(1, 2 * processes + 1) if batch % n == 0),
                 key=lambda other: (other.together, -other.processes))
    raise ValueError(
        f'of the {most_per_process} videos that a process holds, a global batch of {batch} on {processes} processes '
        f'uses {plan.per_process} at a time, {plan.accumulation} times a step, since {share} for each has no better '
        f'divisor: set train_dataloader.batch_size={more} if that fits'
        + (f', start {better.processes} processes ({better.processes} x {better.per_process} x {better.accumulation})'
           if better.together > plan.together else '')
        + f', pass --auto-scale-lr for a batch of {processes * most_per_process} and a learning rate to match, or ask '
        f'for this split with train_dataloader.batch_size={plan.per_process}')


def whole_batch_splits(global_batch: int, processes: tuple[int, ...] = (32, 8)) -> list[str]:
    """Splits ``n x m`` of a batch without accumulation, for usual numbers of GPUs; synchronised BN then sees it all."""
    return [f'{n} x {global_batch // n}' for n in processes if global_batch % n == 0]
