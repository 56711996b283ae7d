"""Ruff's and mypy's rules of pyproject.toml, and that a function without types would be seen."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import iboot_mm
from iboot_mm.inference import FeatureExtractor

ROOT = Path(__file__).resolve().parents[1]


def mypy(folder: Path, cache: Path) -> subprocess.CompletedProcess:
    """What mypy says of the package in a folder, by the rules there."""
    return subprocess.run([sys.executable, '-m', 'mypy', '--cache-dir', cache], cwd=folder, capture_output=True,
                          text=True)


def test_ruff():
    found = subprocess.run([sys.executable, '-m', 'ruff', 'check', '--no-cache', '.'], cwd=ROOT, capture_output=True,
                           text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_types(tmp_path):
    """The package is free of errors; one that is put into a copy is named."""
    found = mypy(ROOT, tmp_path / 'cache')
    assert found.returncode == 0, found.stdout + found.stderr
    for name in ('iboot_mm', 'iboot_mm_cli'):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns('__pycache__', '.mim'))
    shutil.copy(ROOT / 'pyproject.toml', tmp_path)
    with open(tmp_path / 'iboot_mm' / 'ranges.py', 'a') as file:
        file.write('\n\ndef whatever(value):\n    return value\n\n\nabove_zero(unknown)\n')
    found = mypy(tmp_path, tmp_path / 'cache')
    assert found.returncode == 1
    assert {match[1] for match in re.finditer(r'iboot_mm/ranges\.py:\d+: error: .*\[([\w-]+)\]', found.stdout)} == {
        'no-untyped-def', 'name-defined'}


@pytest.mark.parametrize('called', [iboot_mm.load, iboot_mm.pretrain, FeatureExtractor.__call__])
def test_the_front_door_says_what_it_gives(called):
    assert called.__annotations__['return'] is not None
    assert (Path(iboot_mm.__file__).parent / 'py.typed').is_file()  # so that a user's checker reads them
