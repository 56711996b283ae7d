"""A step of every kind of config on a GPU that is not there: devices, waits, exchanges, memory and work."""

import functools
from pathlib import Path

import pytest
from mmengine.config import Config

from iboot_mm.dry_run.gpus import gpu_named
from iboot_mm.dry_run.recipe import Settings
from iboot_mm.dry_run.step import Step, dry_step
from iboot_mm.engine.batch_plan import BatchPlan

from ..config_files import load_config

MINI = Path(__file__).parents[2] / 'configs' / 'mini'
# One of each kind; the big ones differ from them in size.
KINDS = ('iboot_r18_digits', 'iboot_r18_digits_cached', 'byol_r18_digits', 'moco_r18_digits', 'simclr_r18_digits',
         'swav_r18_digits', 'advise_tmm_digits', 'advise_tmm_digits_cached', 'vivi_ex2_digits', 'vivi_rot4_digits',
         'vivi_cotrained_digits', 'vivi_order_digits', 'downstream/ava_digits', 'downstream/charades_digits',
         'downstream/linear_digits', 'downstream/finetune_digits', 'downstream/advise_finetune_digits')


@functools.cache
def step_of(name: str, ranks: int = 8, precision: str = 'config', sync_bn: bool = False, accumulation: int = 1) -> Step:
    cfg = load_config(MINI / f'{name}.py')
    if sync_bn:
        cfg.sync_bn = 'torch'
    return dry_step(cfg, gpu_named('a100-80'), BatchPlan(ranks, 2, accumulation), Settings(precision))


@pytest.mark.parametrize('name', KINDS)
def test_a_step_waits_for_nothing_that_is_not_known(name: str) -> None:
    step = step_of(name)  # a mismatch of devices is an error in it
    unknown = [str(wait) for wait in step.waits if wait.reason is None]
    assert not unknown, '\n'.join(unknown)
    assert step.peak.kinds['weights'] > 0
    assert step.work.total().flops > 0
    assert any(backward and work.flops for (_, backward), work in step.work.parts.items())


def test_every_training_of_the_mini_configs_is_of_a_kind() -> None:
    kinds = {kind_of(load_config(MINI / f'{name}.py')) for name in KINDS}
    for file in sorted(MINI.rglob('*.py')):
        if '_base_' not in file.parts and 'targets' not in file.parts:
            cfg = Config.fromfile(file)
            assert not cfg.get('train_dataloader') or kind_of(cfg) in kinds, file


def kind_of(cfg: Config) -> tuple[str, str | None]:
    return cfg.model.type, (cfg.model.get('backbone') or {}).get('type')
