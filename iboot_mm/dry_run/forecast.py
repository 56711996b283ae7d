"""From a step to a recipe: its time on the GPUs that it is for."""

import math
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config

from ..datasets.benchmarks.counts import OFFICIAL
from ..engine.batch_plan import BatchPlan
from .collectives import seconds
from .gpus import GB
from .recipe import loaders
from .step import Step
from .work import Roofline


@dataclass(frozen=True)
class Forecast:
    """Times of a recipe.

    Attributes:
        parts: Seconds of a step by part, by the roofline.
        exchange: Seconds of a step's collectives, if none overlaps with anything.
        hidden: Seconds of them that the backward pass hides: all but the last bucket of gradients.
        videos_per_second: Of all GPUs.
        epoch: Hours; None where the number of videos is unknown.
        recipe: Hours, likewise.
        gpu_days: Of the recipe, likewise.
    """

    parts: dict[str, float]
    exchange: float
    hidden: float
    videos_per_second: float
    epoch: float | None
    recipe: float | None
    gpu_days: float | None

    @property
    def step(self) -> float:
        """Seconds of a step."""
        return sum(self.parts.values()) + self.exchange - self.hidden


def forecast(cfg: Config, step: Step, plan: BatchPlan, roofline: Roofline, link: float | None = None,
             videos: int | None = None) -> Forecast:
    """Times of a recipe whose step is known.

    Args:
        cfg: The config.
        step: Its step.
        plan: How its batch is spread.
        roofline: Which share of the GPU's peaks it reaches.
        link: 10^9 bytes/s between GPUs in one direction; None for the GPU's own.
        videos: Of an epoch; None for the official number of the config's list.
    """
    parts = step.work.seconds(roofline)
    link = (link or roofline.gpu.link) * GB
    times = [(collective, count * seconds(collective, plan.processes, link))
             for collective, count in step.collectives.items()]
    exchange = sum(time for _, time in times)
    gradients = [time for collective, time in times if collective.cause == 'gradients']
    buckets = sum(count for collective, count in step.collectives.items() if collective.cause == 'gradients')
    hidden = sum(gradients) * (1 - 1 / buckets) if buckets else 0.
    one = sum(parts.values()) + exchange - hidden
    rate = plan.global_batch / one
    videos = videos or videos_of(cfg)
    train = cfg.get('train_cfg') or {}
    epoch = recipe = None
    steps = (loaders(cfg)[0].get('sampler') or {}).get('steps')  # of an epoch, whatever videos there are
    if steps is None and videos:
        steps = max(1, math.ceil(videos / plan.global_batch))
    if steps:
        epoch = steps * one / 3600
        if train.get('max_epochs'):
            recipe = train['max_epochs'] * epoch
    if train.get('max_iters'):
        recipe = train['max_iters'] / plan.accumulation * one / 3600
    return Forecast(parts, exchange, hidden, rate, epoch, recipe,
                    None if recipe is None else recipe * plan.processes / 24)


def videos_of(cfg: Config) -> int | None:
    """How many videos a config's training list officially has, by the list's name."""
    dataset = loaders(cfg)[0]['dataset']
    while 'ann_file' not in dataset and ('dataset' in dataset or 'datasets' in dataset):
        dataset = dataset.get('dataset') or dataset['datasets'][0]
    name = Path(dataset.get('ann_file') or '').name
    return next((official.videos[name] for official in OFFICIAL.values() if name in official.videos), None)
