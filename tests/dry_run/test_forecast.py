"""From a step to a recipe."""

from pathlib import Path

import pytest

from iboot_mm.dry_run.forecast import forecast
from iboot_mm.dry_run.gpus import gpu_named
from iboot_mm.dry_run.recipe import batch_of
from iboot_mm.dry_run.step import dry_step
from iboot_mm.dry_run.work import Roofline
from iboot_mm.engine.batch_plan import BatchPlan

from ..config_files import load_config

MINI = Path(__file__).parents[2] / 'configs' / 'mini'


@pytest.mark.parametrize('videos', [None, 37])
def test_an_epoch_of_stated_steps_takes_those_whatever_videos_there_are(videos: int | None) -> None:
    cfg = load_config(MINI / 'vivi_ex2_digits.py')
    cfg.train_dataloader.sampler = dict(type='EpochSampler', steps=50)
    cfg.train_cfg.max_epochs = 3
    plan = batch_of(cfg, 1)
    step = dry_step(cfg, gpu_named('t4'), BatchPlan(1, 2, 1))
    times = forecast(cfg, step, plan, Roofline(gpu_named('t4')), videos=videos)
    assert times.epoch == pytest.approx(50 * times.step / 3600)
    assert times.gpu_days == pytest.approx(3 * times.epoch / 24)


def test_an_epoch_of_videos_is_whole_batches_of_them() -> None:
    cfg = load_config(MINI / 'iboot_r18_digits.py')
    cfg.train_dataloader.sampler.pop('steps', None)
    plan = BatchPlan(1, 2, 1)
    times = forecast(cfg, dry_step(cfg, gpu_named('t4'), plan), plan, Roofline(gpu_named('t4')), videos=7)
    assert times.epoch == pytest.approx(4 * times.step / 3600)
