"""Configs that runs dumped before something changed its meaning: they train, resume and evaluate as then.

iBoot's is of before the rooms were made (commit 194ddb7), AdViSe's of before its module was the published one
(f9d28e6).
"""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.runner import load_checkpoint

from .scripts import load_tool

ROOT = Path(__file__).resolve().parents[1]
DUMPED = Path(__file__).parent / 'earlier_runs' / 'iboot_r18_digits.txt'
ADVISE = DUMPED.with_name('advise_tmm_digits_cached.txt')
MAPPED = [.525243, .275383, .238918, .280271]  # what that network, from seed 0, said to maps() in its first channels
LOSSES = {1: 2.0138, 2: 1.9237}  # what that run logged at the end of its two epochs


def train(monkeypatch, *args):
    """tools/train.py, in this process."""
    monkeypatch.setattr(sys, 'argv', ['train.py', *map(str, args)])
    runpy.run_path(str(ROOT / 'tools' / 'train.py'), run_name='__main__')


def test_it_trains_resumes_and_evaluates(tmp_path, monkeypatch):
    load_tool('data/make_moving_digits').make(tmp_path / 'digits', workers=1, limit=8)
    config = tmp_path / 'dumped.py'
    config.write_text(DUMPED.read_text().replace('{data}', str(tmp_path / 'digits')))
    folder = tmp_path / 'run'
    train(monkeypatch, config, '--work-dir', folder)
    (folder / 'epoch_2.pth').unlink()  # as if stopped after the first epoch
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_1.pth'))
    train(monkeypatch, config, '--work-dir', folder, '--resume')
    logged = [json.loads(line) for file in sorted(folder.glob('*/vis_data/scalars.json'))
              for line in file.read_text().splitlines()]
    losses = [(line['epoch'], line['loss']) for line in logged if 'loss' in line]
    assert [epoch for epoch, _ in losses] == [1, 2, 2]
    assert losses[1] == losses[2]
    assert dict(losses) == pytest.approx(LOSSES, abs=.02)
    figures = [line for line in logged if 'digit/knn_top1' in line]
    spreads = [line['feature_spread'] for line in figures]
    assert len(spreads) == 3 and spreads[1] == spreads[2]


def maps():
    return torch.arange(96 * 8 * 9).float().mul(.37).sin().reshape(1, 96, 8, 3, 3)


def advise(**temporal):
    """The model of the earlier run, with another module if one is given."""
    config = Config.fromstring(ADVISE.read_text(), file_format='.py').model
    config.backbone.temporal = temporal or config.backbone.temporal
    torch.manual_seed(0)
    return MODELS.build(config).eval()


def test_an_earlier_temporal_module_is_the_same_network():
    assert advise().backbone(maps()).mean(dim=(0, 2, 3, 4))[:4].tolist() == pytest.approx(MAPPED, abs=1e-5)


@pytest.mark.parametrize('kernel', [1, 3])
def test_an_earlier_checkpoint_is_no_other_network(tmp_path, kernel):
    torch.save(dict(state_dict=advise().state_dict()), tmp_path / 'epoch_1.pth')
    load_checkpoint(advise(), str(tmp_path / 'epoch_1.pth'))
    with pytest.raises(ValueError, match='does not fit the backbone of Recognizer3D: backbone.temporal.0.conv'):
        load_checkpoint(advise(type='r3d', hidden=64, kernel=kernel), str(tmp_path / 'epoch_1.pth'))


def test_with_kernel_1_both_names_are_one_network(tmp_path):
    torch.save(dict(state_dict=advise(type='bottleneck', hidden=64, kernel=1).state_dict()), tmp_path / 'epoch_1.pth')
    for temporal in (dict(type='r3d', hidden=64), dict(hidden=64, kernel=1)):
        model = advise(**temporal)
        load_checkpoint(model, str(tmp_path / 'epoch_1.pth'))
        torch.testing.assert_close(model.backbone(maps()),
                                   advise(type='bottleneck', hidden=64, kernel=1).backbone(maps()))
