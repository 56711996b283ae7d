"""A config that a run dumped before the rooms were made (commit 194ddb7): it trains, resumes and evaluates as then."""

import json
import runpy
import sys
from pathlib import Path

import pytest

from .scripts import load_tool

ROOT = Path(__file__).resolve().parents[1]
DUMPED = Path(__file__).parent / 'earlier_runs' / 'iboot_r18_digits.txt'
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
