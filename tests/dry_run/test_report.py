"""What a dry run prints to be used."""

import argparse
import shlex
from pathlib import Path

import pytest
from mmengine.config import Config, DictAction

from iboot_mm.dry_run.fit import Fit
from iboot_mm.dry_run.gpus import gpu_named
from iboot_mm.dry_run.recipe import Settings, batch_of, prepared
from iboot_mm.dry_run.report import Asked, command
from iboot_mm.dry_run.work import Roofline
from iboot_mm.engine.batch_plan import BatchPlan

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


@pytest.mark.parametrize('settings, options', [
    (Settings(), {}), (Settings('bf16', with_cp=True), {'model.teacher.precision': 'fp16'}),
    (Settings('amp', channels_last=True), {'model.backbone.inflate': (1, 1, 1, 1)}), (Settings('fp32'), {})])
@pytest.mark.parametrize('most, plan', [(20, BatchPlan(2, 16, 1)), (15, BatchPlan(2, 8, 2)), (5, BatchPlan(2, 4, 4))])
def test_the_command_line_trains_what_was_told(settings, options, most, plan, tmp_path):
    file = tmp_path / 'my recipe.py'
    file.write_text(f"_base_ = '{CONFIGS / 'mini/iboot_r18_digits.py'}'\n")
    cfg = Config.fromfile(file)
    cfg.merge_from_dict(options)
    assert batch_of(cfg, 2, most) == plan
    asked = Asked(cfg, settings, plan, Roofline(gpu_named('t4'), .4, .7), options=options)
    script, config, processes, *flags = shlex.split(command(asked, Fit(most, plan, None)))
    assert script == 'tools/dist_train.sh' and processes == '2'
    trained = Config.fromfile(config)
    given = argparse.Namespace()
    DictAction(['--cfg-options'], 'given')(None, given, flags[flags.index('--cfg-options') + 1:])
    trained.merge_from_dict(given.given)
    assert batch_of(trained, 2) == plan
    if '--amp' in flags:  # as tools/train.py; autocast's own type on a GPU
        trained.optim_wrapper.update(type='AmpOptimWrapper', loss_scale='dynamic', dtype='float16')
    told = prepared(cfg, settings)
    assert trained.optim_wrapper == told.optim_wrapper
    for key in ('backbone', 'channels_last'):
        assert trained.model.get(key) == told.model.get(key)
