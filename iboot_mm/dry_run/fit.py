"""The largest batch that a GPU holds."""

from collections.abc import Callable
from dataclasses import dataclass

from ..engine.batch_plan import BatchPlan
from .gpus import GB, GPU
from .step import DryRun, Step

CONTEXT = 7 * GB // 10  # bytes: CUDA's context, cuDNN's and NCCL's own
WORKSPACE = .06  # of the peak: workspaces of convolutions, and gaps between blocks


def needed(peak: int) -> float:
    """Bytes that a step of some peak wants of a GPU, allowances included."""
    return peak * (1 + WORKSPACE) + CONTEXT


@dataclass(frozen=True)
class Fit:
    """The largest batch of a GPU.

    Attributes:
        most: Videos of a forward pass that fit; 0 if not even the fewest do.
        plan: The best split with at most so many, of the recipe's own batch; None if none fits.
        step: Its step, None if none fits.
    """

    most: int
    plan: BatchPlan | None
    step: Step | None


def largest(run: DryRun, gpu: GPU, plan: BatchPlan, split: Callable[[int], BatchPlan]) -> Fit:
    """Finds the largest batch by the line through two steps, and looks whether it fits.

    Args:
        run: The dry run.
        gpu: The GPU.
        plan: Where to begin.
        split: Gives the plan for the most videos that a GPU holds.
    """
    room = gpu.memory * GB
    steps: dict[int, Step] = {}

    def bytes_of(videos: int) -> float:
        if videos not in steps:
            steps[videos] = run.step(videos, 2)
        return needed(steps[videos].peak.bytes)

    few = max(2, plan.per_process // 4)
    low, high = sorted({few, plan.per_process} if few != plan.per_process else {few, 2 * few})
    most = 0
    for _ in range(3):
        slope = max((bytes_of(high) - bytes_of(low)) / (high - low), 1.)
        most = int(high + (room - bytes_of(high)) / slope)
        if most < 1:
            return Fit(0, None, None)
        chosen = split(most)
        if bytes_of(chosen.per_process) <= room:
            return Fit(most, chosen, run.step(chosen.per_process, chosen.accumulation))
        low, high = sorted((low, chosen.per_process))  # the line was not straight: closer
    return Fit(0, None, None)
