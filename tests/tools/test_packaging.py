"""What the wheel carries, and that building it needs nothing but setuptools."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """The wheel, built from a copy of the checkout by a Python that cannot import torch."""
    source = tmp_path_factory.mktemp('source')
    for name in ('setup.py', 'pyproject.toml', 'MANIFEST.in', 'README.md', 'LICENSE'):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    for name in ('iboot_mm', 'configs', 'tools', 'requirements'):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns('__pycache__', '*.pth'))
    (source / 'torch.py').write_text("raise ImportError('setup.py must not import torch')\n")
    done = subprocess.run([sys.executable, '-m', 'pip', 'wheel', '.', '--no-deps', '--no-build-isolation', '-q', '-w',
                           'out'], cwd=source, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return next((source / 'out').glob('iboot_mm-*.whl'))


def test_wheel_carries_code_configs_and_tools(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, target in (('iboot_mm', 'iboot_mm'), ('configs', 'iboot_mm/.mim/configs'),
                           ('tools', 'iboot_mm/.mim/tools')):
        files = [p.relative_to(ROOT / folder) for p in (ROOT / folder).rglob('*')
                 if p.suffix in ('.py', '.sh') and '__pycache__' not in p.parts and '.mim' not in p.parts]
        assert files and all(f'{target}/{path.as_posix()}' in names for path in files)
    assert 'iboot_mm/.mim/model-index.yml' in names
    assert not any(name.startswith(('tests', 'configs', 'tools')) or name.endswith('.pth') for name in names)


def test_bases_resolve_from_the_wheel(wheel, tmp_path):
    """``_base_ = 'iboot_mm::...'`` and mmengine's own way to the files, with the package unpacked and no checkout."""
    zipfile.ZipFile(wheel).extractall(tmp_path / 'site')
    (tmp_path / 'mine.py').write_text("_base_ = 'iboot_mm::_base_/default_runtime.py'\n")
    code = ('import iboot_mm, sys; from mmengine.config import Config; from mmengine.hub import get_config;'
            'assert iboot_mm.__file__.startswith(sys.argv[1]), iboot_mm.__file__;'
            "assert Config.fromfile('mine.py').default_scope == 'mmaction';"
            "assert get_config('iboot_mm::_base_/default_runtime.py').default_scope == 'mmaction'")
    done = subprocess.run([sys.executable, '-c', code, str(tmp_path / 'site')], cwd=tmp_path, text=True,
                          env={'PYTHONPATH': str(tmp_path / 'site'), 'PATH': '', 'OMP_NUM_THREADS': '1'},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


def test_declared_requirements_match_what_the_package_checks(wheel):
    from packaging.requirements import Requirement

    from iboot_mm import compat
    metadata = next(n for n in zipfile.ZipFile(wheel).namelist() if n.endswith('METADATA'))
    lines = zipfile.ZipFile(wheel).read(metadata).decode().splitlines()
    declared = {r.name: r for r in (Requirement(line.removeprefix('Requires-Dist: ')) for line in lines
                                    if line.startswith('Requires-Dist: '))}
    for package, (lowest, limit, _) in compat.SUPPORTED.items():
        assert declared[package].specifier.contains(lowest)
        assert limit is None or not declared[package].specifier.contains(limit)
    assert 'platform_machine' in str(declared['decord'].marker)  # no wheel elsewhere
    assert 'mmcv' not in declared and 'extra' in str(declared['mmcv-lite'].marker)
