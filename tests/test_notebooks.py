"""The notebooks' cells run in order; nothing of a run is kept in the files."""

import ast
import json
import re
from pathlib import Path

import matplotlib.pyplot
import pytest
import torch

import iboot_mm

from .checkpoint_files import write_checkpoint
from .pages import ROOT

NOTEBOOKS = sorted((ROOT / 'examples').glob('*.ipynb'))


def code_cells(file: Path) -> list[str]:
    return [''.join(cell['source']) for cell in json.loads(file.read_text())['cells'] if cell['cell_type'] == 'code']


@pytest.mark.parametrize('file', NOTEBOOKS, ids=lambda file: file.name)
def test_nothing_of_a_run_is_kept(file):
    for cell in json.loads(file.read_text())['cells']:
        assert not cell.get('outputs') and cell.get('execution_count') is None
        assert cell['source'] and '/home/' not in ''.join(cell['source'])


def test_a_folder_of_videos(tmp_path, monkeypatch, capsys):
    """All but the training, which the wheel's test does: a network of random weights stands in for it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(matplotlib.pyplot, 'show', lambda: None)
    trained = []

    def pretrain(videos, out, method):
        trained.append((len(list(videos.iterdir())), method))
        return write_checkpoint(out)['checkpoint'].parent
    monkeypatch.setattr(iboot_mm, 'pretrain', pretrain)
    names: dict = {}
    for cell in code_cells(ROOT / 'examples' / 'your_videos.ipynb'):
        ast.parse(cell)
        exec(cell, names)
    figure = names['figure']
    matplotlib.pyplot.close(figure)
    assert trained == [(32, 'byol')]
    assert names['features'].shape == (32, 64)
    torch.testing.assert_close(names['features'].norm(dim=1), torch.ones(32))
    neighbours = r'^\d\d_\w+\.mp4 -> (?:\d\d_\w+\.mp4 \(-?[\d.]+\)(?:, |$)){3}'
    assert len(re.findall(neighbours, capsys.readouterr().out, re.M)) == 5
    variance = names['places'].var(dim=0)
    assert variance[0] >= variance[1] > 0  # the first direction is the one of most variance
    assert len(names['axes'].child_axes) == 32
