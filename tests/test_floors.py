"""The contract of pyproject.toml: rooms import downwards, in no circle. And that a wrong import would be seen."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def lint(folder: Path) -> subprocess.CompletedProcess:
    """What the import linter says of the package and the contract in a folder."""
    code = f'from importlinter.cli import lint_imports; raise SystemExit(lint_imports("{folder / "pyproject.toml"}"))'
    return subprocess.run([sys.executable, '-c', code], cwd=folder, capture_output=True, text=True,
                          env=os.environ | dict(PYTHONPATH=str(folder), COLUMNS='200'))


def test_rooms_import_downwards_only():
    found = lint(ROOT)
    assert found.returncode == 0 and '0 broken' in found.stdout, found.stdout + found.stderr


@pytest.mark.parametrize('file, line, sentence', [
    ('datasets/tokens.py', 'from ..evaluation import knn_classify',
     'iboot_mm.datasets is not allowed to import iboot_mm.evaluation'),
    ('models/losses/views.py', 'from ..pretrainers import IBoot',
     'iboot_mm.models.losses is not allowed to import iboot_mm.models.pretrainers'),
    ('datasets/shots/shots.py', 'from .. import shot_folder', 'No cycles are allowed in iboot_mm.datasets'),
    ('newcomer.py', '', 'newcomer'),  # a room without a floor
])
def test_a_wrong_import_is_named(tmp_path, file, line, sentence):
    shutil.copytree(ROOT / 'iboot_mm', tmp_path / 'iboot_mm', ignore=shutil.ignore_patterns('__pycache__', '.mim'))
    shutil.copy(ROOT / 'pyproject.toml', tmp_path)
    with open(tmp_path / 'iboot_mm' / file, 'a') as file:
        file.write(f'\n{line}\n')
    found = lint(tmp_path)
    assert found.returncode == 1 and sentence in found.stdout + found.stderr, found.stdout + found.stderr
