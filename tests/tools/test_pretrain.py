"""tools/pretrain.py and iboot_mm.pretrain: what they refuse, and the commands they come to."""

import subprocess
import sys
from pathlib import Path

import pytest

import iboot_mm

from ..scripts import load_tool
from .test_quickstart import commands, names, run  # noqa: F401  (fixtures)

ROOT = Path(__file__).resolve().parents[2]
pretrain = load_tool('pretrain')
stages = load_tool('stages')


@pytest.fixture
def noted(commands, monkeypatch):  # noqa: F811
    """The commands of a run are noted instead of run."""
    monkeypatch.setattr(pretrain, 'run', stages.run)
    monkeypatch.setattr(pretrain, 'num_processes', lambda python, wanted: wanted or 2)
    return commands


@pytest.mark.parametrize('options, words', [
    (['/no/such/folder'], 'no folder /no/such/folder'),
    ([ROOT, '--checkpoint', ROOT / 'Makefile'], '--teacher'),
    ([ROOT, '--checkpoint', '/no.pth', '--teacher', 'timm:resnet18'], 'no file /no.pth'),
    ([ROOT, '--lists', '/no/list.txt'], 'no list /no/list.txt'),
    ([ROOT, '--method', 'byol', '--teacher', 'dino_vit_b16'], '--method byol learns from the videos alone'),
    ([ROOT, '--method', 'swav', '--target-norm', 'none'], '--target-norm goes with --method iboot'),
    ([ROOT, '--epochs', '0'], '0 epochs: train for one at the least'),
])
def test_bad_input_is_one_sentence(run, options, words):  # noqa: F811
    status, said = run(pretrain, *options)
    assert status == 2 and words in said


@pytest.mark.parametrize('method, between, total', [
    ('iboot', [], 3), ('byol', [], 3), ('moco', [], 3), ('simclr', [], 3), ('swav', [], 3),
    ('advise', ['cache_tokens'], 3), ('vivi', [], 4)])
def test_stages_of_each_method(run, noted, tmp_path, method, between, total):  # noqa: F811
    said = run(pretrain, ROOT, '--out', tmp_path / 'run', '--method', method, '--epochs', 3)[1]
    assert f'[{total}/{total}] Report' in said and 'no shots' not in said
    made = next(arguments for name, arguments in noted if name == 'make_config')
    assert made[1:5] == ['--videos', str(ROOT), '--method', method] and '--epochs' in made
    done = names(noted)
    assert done == [*(['find_shots'] if method == 'vivi' else []), 'make_config', *between, 'dist_train', 'knn_table',
                    'report']
    run(pretrain, ROOT, '--out', tmp_path / 'run', '--method', method, '--epochs', 3)
    assert 'dist_train' not in noted and 'knn_table' not in names(noted)


def test_a_teacher_file_is_named_by_its_place(run, noted, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    Path('mine.py').touch()
    Path('mine.pth').touch()
    run(pretrain, ROOT, '--out', 'run', '--teacher', 'mine.py', '--checkpoint', 'mine.pth')
    made = next(arguments for name, arguments in noted if name == 'make_config')
    assert made[made.index('--teacher') + 1:] == [f'{tmp_path}/mine.py', '--checkpoint', f'{tmp_path}/mine.pth']


def test_the_function_calls_the_tool(monkeypatch, tmp_path, capsys):
    seen, start = [], subprocess.Popen

    def stand_in(command, **kwargs):
        seen.append(command)
        return start([sys.executable, '-c', f'print("trained"); raise SystemExit({status!r})'], **kwargs)
    monkeypatch.setattr('iboot_mm.pretraining.subprocess.Popen', stand_in)
    status = 0
    found = iboot_mm.pretrain(tmp_path, tmp_path / 'run', teacher='timm:resnet18', lists=['a.txt', 'b.txt'],
                              labels=['digit'], hold_out=True, epochs=2)
    assert found == tmp_path / 'run' and capsys.readouterr().out == 'trained\n'
    assert seen[0][1:] == [str(ROOT / 'tools/pretrain.py'), str(tmp_path), '--out', str(tmp_path / 'run'), '--method',
                           'iboot', '--teacher', 'timm:resnet18', '--epochs', '2', '--lists', 'a.txt', 'b.txt',
                           '--labels', 'digit', '--hold-out']
    status = 'no teacher'
    with pytest.raises(RuntimeError, match='no teacher'):
        iboot_mm.pretrain(tmp_path, tmp_path / 'run')
    with pytest.raises(FileNotFoundError, match='/no/videos'):
        iboot_mm.pretrain('/no/videos', tmp_path / 'run')


def test_an_interrupt_stops_what_was_started(monkeypatch, tmp_path):
    """As in a notebook, where the kernel alone is interrupted."""
    start, started = subprocess.Popen, []

    def stand_in(command, **kwargs):
        patient = 'import time; print("begun", flush=True); time.sleep(60)'
        started.append(start([sys.executable, '-c', patient], **kwargs))
        return started[0]

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt
    monkeypatch.setattr('iboot_mm.pretraining.subprocess.Popen', stand_in)
    monkeypatch.setattr('builtins.print', interrupted)
    with pytest.raises(KeyboardInterrupt):
        iboot_mm.pretrain(tmp_path, tmp_path / 'run')
    assert started[0].returncode not in (None, 0)
