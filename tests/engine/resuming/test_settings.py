"""Settings of a config that is only a text."""

import pytest
from mmengine.config import Config

from iboot_mm.compat import configs_folder
from iboot_mm.engine.resuming.settings import changed_settings, read_settings


@pytest.mark.parametrize('name', ['iboot_r50_clip_k400', 'baselines/moco_slow_r50_rho2_k400', 'vivi/vivi_ex4_co10'])
def test_a_printed_config_is_read_as_it_is(name):
    cfg = Config.fromfile(configs_folder() / f'{name}.py')
    settings = read_settings(cfg.pretty_text)
    assert settings['train_cfg.max_epochs'] == cfg.train_cfg.max_epochs
    assert settings['param_scheduler.0.type'] == cfg.param_scheduler[0].type
    assert settings['optim_wrapper.optimizer.lr'] == cfg.optim_wrapper.optimizer.lr
    assert settings['model.backbone.type'] == cfg.model.backbone.type
    assert changed_settings(settings, read_settings(cfg.pretty_text)) == []


def test_what_changed():
    old = read_settings("model = dict(a=1, b=[dict(c=2), dict(d=(3, 4))], e={'f.g': None})\ntrain_cfg = dict(by=True)\n"
                        "train_dataloader = dict(batch_size=4)\nwork_dir = 'a'\n")
    new = read_settings("model = dict(a=1, b=[dict(c=5), dict(d=(3, 4))], e={'f.g': -1.5}, h='x')\n"
                        "train_cfg = dict(by=True)\ntrain_dataloader = dict(batch_size=2)\nwork_dir = 'b'\n")
    assert changed_settings(old, new) == ['model.b.0.c: 2 -> 5', 'model.e.f.g: None -> -1.5', 'model.h: absent -> x']
    assert changed_settings({}, new) == changed_settings(old, {}) == []


@pytest.mark.parametrize('text', [
    'model = __import__("os").system("touch {marker}")', 'model = dict(a=open("{marker}", "w"))', 'model = dict(**x)',
    'model = dict(a=[i for i in (1, 2)])', 'import os\nos.mkdir("{marker}")\nmodel = dict', 'model = (', '\0', '',
    'model = ' + '[' * 100_000, 'model = ' + '-' * 100_000 + '1', 'model = ' + '[' * 80 + ']' * 80,
    'model = 10**10**10'], ids=lambda text: text[:24])
def test_a_text_is_never_run(tmp_path, text):
    read_settings(text.replace('{marker}', str(tmp_path / 'marker')))
    assert not (tmp_path / 'marker').exists()
