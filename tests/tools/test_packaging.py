"""What the wheel carries, and that building it needs nothing but setuptools."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ..videos import moving_frames, write_video

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """The wheel, built from a copy of the checkout by a Python that cannot import torch."""
    source = tmp_path_factory.mktemp('source')
    for name in ('setup.py', 'pyproject.toml', 'MANIFEST.in', 'README.md', 'LICENSE'):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    for name in ('iboot_mm', 'iboot_mm_cli', 'configs', 'tools', 'requirements'):
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


# The command's lines one after the other in a single process, for each new one imports for seconds.
LINES = """
from iboot_mm_cli import main
main('extract run videos --out features.npz --workers 0'.split())
main('export run exported'.split())
main('evaluate run --protocols knn --videos videos --lists train.txt test.txt --out evaluation --processes 1'.split())
main('configs copy mini/byol_r18_digits mine.py'.split())
with open('mine.py', 'a') as file:
    file.write("train_dataloader = dict(dataset=dict(root='videos', ann_file='', label_names=None))\\n"
               'train_cfg = dict(global_batch=4, max_epochs=1)\\n')
main('train mine.py --no-validate --work-dir mine'.split())
import iboot_mm
print(iboot_mm.__file__)
print(len(iboot_mm.load('exported')('videos')))
"""


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory):
    """An environment into which the wheel was installed; what it needs lies in this one. Its folder of scripts.

    That the checkout is not what is imported is seen from the package's own file, see below.
    """
    environment = tmp_path_factory.mktemp('environment')
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', environment], check=True)
    subprocess.run([sys.executable, '-m', 'pip', '--python', environment / 'bin' / 'python', 'install', '--no-deps',
                    '-q', '--disable-pip-version-check', wheel], check=True)
    site = next((environment / 'lib').glob('python*/site-packages'))
    # A plain line adds the folder and does not read the .pth files in it, of which one may name the checkout.
    (site / 'what_it_needs.pth').write_text(sysconfig.get_path('purelib') + '\n')
    return environment / 'bin'


def test_the_command_does_all_without_a_checkout(installed, tmp_path):
    """A folder of videos to a network, its features, an evaluation and an export; and a stock MMAction2 config."""
    (tmp_path / 'videos').mkdir()
    for number in range(6):
        write_video(tmp_path / 'videos' / f'{number}.mp4', moving_frames(24, seed=number))
    for name in ('train', 'test'):
        (tmp_path / f'{name}.txt').write_text(''.join(f'{number}.mp4 {number % 2}\n' for number in range(6)))
    env = {name: value for name, value in os.environ.items() if name != 'PYTHONPATH'}
    env |= dict(OMP_NUM_THREADS='1', PATH=f'{installed}:/usr/bin:/bin', CUDA_VISIBLE_DEVICES='-1')

    def call(*command):
        done = subprocess.run([str(part) for part in command], cwd=tmp_path, env=env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
        return done.stdout

    said = call('iboot-mm', 'pretrain', 'videos', '--out', 'run', '--method', 'byol', '--epochs', 1, '--processes', 1,
                '--lists', 'train.txt', 'test.txt')
    assert '[3/3] Report' in said and (tmp_path / 'run' / 'report.html').is_file()
    (tmp_path / 'lines.py').write_text(LINES)
    where, features = call(installed / 'python', 'lines.py').splitlines()[-2:]
    assert where.startswith(str(installed.parent)) and features == '6'
    features = np.load(tmp_path / 'features.npz')
    assert len(features['files']) == 6 and np.isfinite(features['features']).all()
    results = (tmp_path / 'evaluation' / 'results.md').read_text()
    assert 'k-NN' in results and 'iboot-mm evaluate run --protocols knn' in results
    assert (tmp_path / 'mine' / 'epoch_1.pth').is_file()
    assert not (set(p.name for p in tmp_path.iterdir()) - {
        'videos', 'train.txt', 'test.txt', 'run', 'features.npz', 'features.parts', 'evaluation', 'exported', 'mine.py',
        'mine', 'lines.py'})
