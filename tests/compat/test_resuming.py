"""What a checkpoint says is neither run nor obeyed where mmengine would."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.infer import BaseInferencer
from mmengine.runner import Runner

from iboot_mm.compat import UnusableCheckpoint
from iboot_mm.compat.resuming import without_code

from ..engine.toy import toy_config
from ..processes import run_script


def test_the_text_of_a_config_is_left_out_and_nothing_else():
    checkpoint = dict(meta=dict(config='import os', cfg='a = 1', epoch=3), state_dict=dict(a=1))
    assert without_code(checkpoint) == dict(meta=dict(cfg='a = 1', epoch=3), state_dict=dict(a=1))
    for other in (dict(meta=None), dict(), [1], None):
        assert without_code(other) is other


def test_an_inferencer_does_not_run_the_config_in_weights(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(dict(meta=dict(cfg="open('ran', 'w')\nmodel = dict(type='Recognizer3D')"), state_dict={}), 'weights.pth')
    with pytest.raises(ValueError, match='weights.pth carries its config as text .*name the config too'):
        BaseInferencer._init_model(object(), None, 'weights.pth')
    assert not Path('ran').exists()


def test_it_is_an_error_of_either_kind():
    assert issubclass(UnusableCheckpoint, ValueError) and issubclass(UnusableCheckpoint, RuntimeError)


def test_the_launcher_says_one_sentence(tmp_path):
    """In a process of its own, with what a shell sees: the last line and the status."""
    config, weights = tmp_path / 'config.py', tmp_path / 'foreign.pth'
    Config(toy_config(str(tmp_path / 'run'))).dump(config)
    torch.save(dict(meta=dict(config=f"open({str(tmp_path / 'ran')!r}, 'w')"), state_dict={}), weights)
    done = run_script('tools/train.py', config, '--resume', weights)
    assert done.returncode == 1 and 'Traceback' not in done.stdout, done.stdout
    assert 'foreign.pth' in done.stdout.strip().splitlines()[-1]
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('wrong, entry', [
    (dict(iter=-1), 'meta.iter'), (dict(epoch=-3), 'meta.epoch'), (dict(iter=10 ** 30), 'meta.iter'),
    (dict(epoch='1'), 'meta.epoch'), (dict(iter=True), 'meta.iter'), (dict(seed=.5), 'meta.seed'),
    (dict(epoch=None), 'meta.epoch'),
])
def test_where_a_run_stood_is_a_number(tmp_path, wrong, entry):
    runner = Runner.from_cfg(toy_config(str(tmp_path / 'run')))
    runner.train()
    checkpoint = torch.load(tmp_path / 'run' / 'epoch_2.pth')
    checkpoint['meta'].update(wrong)
    torch.save(checkpoint, tmp_path / 'foreign.pth')
    again = Runner.from_cfg(toy_config(str(tmp_path / 'again'), load_from=str(tmp_path / 'foreign.pth'), resume=True))
    with pytest.raises(UnusableCheckpoint, match=f'foreign.pth does not say where its training stood .{entry}'):
        again.train()
