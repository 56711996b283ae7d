"""The command on small tasks: its table, what it keeps, and what it says of mistakes."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from ..checkpoint_files import CONFIG, write_checkpoint
from ..scripts import load_tool

TOOL = load_tool('transfer')


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A trained network and two folders of images whose brightness is their class."""
    folder = tmp_path_factory.mktemp('transfer')
    write_checkpoint(folder / 'run', CONFIG)
    rng = np.random.default_rng(0)
    for task, levels in (('two', (60, 180)), ('three', (30, 120, 210))):
        for label, level in enumerate(levels):
            (folder / task / f'c{label}').mkdir(parents=True)
            for number in range(15):
                pixels = (level + rng.integers(-20, 20, (8, 10, 3))).astype(np.uint8)
                Image.fromarray(pixels).save(folder / task / f'c{label}' / f'{number}.png')
    return folder


def call(monkeypatch, place, out, *arguments) -> None:
    small = ['--examples', '20', '--steps', '2', '4', '--size', '16', '--batch', '8', '--device', 'cpu', '--out', out]
    tasks = ['--task', f'natural:{place}/two', '--task', f'structured:levels={place}/three']
    monkeypatch.setattr(sys, 'argv', ['transfer.py', *map(str, [*arguments, *tasks, *small])])
    TOOL.main()


def test_the_table_says_what_the_runs_say_and_the_same_command_runs_nothing(place, tmp_path, monkeypatch, capsys):
    config = place / 'run' / 'my_recipe.py'
    networks = ['random', 'random', f"ours={place / 'run'}", '--config', config, '--rates', '.1', '--save']
    call(monkeypatch, place, tmp_path, *networks)
    printed = capsys.readouterr().out
    results = json.loads((tmp_path / 'results.json').read_text())
    names = ['random, seed 0', 'random, seed 1', str(place / 'run')]
    assert [row['name'] for row in results['rows']] == names
    assert [(t['name'], t['group'], t['examples'], t['test']) for t in results['tasks']] == [
        ('two', 'natural', 20, 10), ('levels', 'structured', 20, 25)]
    first, second, _ = results['rows']
    assert first['accuracies'] != second['accuracies']
    for row in results['rows']:
        medians = {name: sorted(runs)[1] for name, runs in row['accuracies'].items()}
        assert row['tasks'] == medians and row['groups'] == dict(natural=medians['two'], structured=medians['levels'])
        assert row['mean'] == pytest.approx(sum(medians.values()) / 2)
    table = (tmp_path / 'results.md').read_text()
    assert table in printed
    one, two, ours = (100 * row['mean'] for row in results['rows'])
    spread = f'{(one + two) / 2:.1f} ± {abs(one - two) / 2 ** .5:.1f}'
    assert '| tested | `random` (2 networks) | `ours` |' in table and '| levels | structured | 20 | 25 |' in table
    assert f'| **mean** | | | | {spread} | {ours:.1f} |' in table
    levels = 100 * results['rows'][2]['tasks']['levels']
    assert '| **mean of natural** | | | | ' in table and f' | {levels:.1f} |\n| **mean of natural' in table
    assert printed.count(' validation ') == 12 and printed.count(' test ') == 18
    assert len(list((tmp_path / 'classifiers').glob('*.pth'))) == 6
    call(monkeypatch, place, tmp_path, *networks)
    again = capsys.readouterr().out
    assert ' validation ' not in again and again.endswith(printed[printed.index('Test accuracy'):])


def test_frozen_heads_are_other_runs(place, tmp_path, monkeypatch, capsys):
    for arguments, trained in ((['--rates', '.1'], 10), (['--rates', '.1', '--frozen'], 10)):
        call(monkeypatch, place, tmp_path, place / 'run', *arguments, '--runs', '3')
        assert capsys.readouterr().out.count('seed ') == trained + 1
    assert 'linear heads on frozen features at 16 pixels' in (tmp_path / 'results.md').read_text()


@pytest.mark.parametrize('arguments, words', [
    (['random'], 'random needs --config'),
    (['{run}', '{run}'], 'run is named twice: its runs differ by their seeds anyway'),
    (['nowhere.pth'], 'no checkpoint at nowhere.pth'),
    (['{run}', '--task', 'sklearn:digits'], 'there is no folder of images digits'),
    (['{run}', '--task', 'two={two}'], 'two tasks are called two'),
])
def test_mistakes_are_told_in_a_sentence(place, tmp_path, monkeypatch, arguments, words):
    with pytest.raises(SystemExit, match=words):
        call(monkeypatch, place, tmp_path, *(text.format(run=place / 'run', two=place / 'two') for text in arguments))


def test_numbers_that_are_too_small(place, tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        call(monkeypatch, place, tmp_path, place / 'run', '--runs', '0')
    assert '--runs 0 is too small' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        call(monkeypatch, place, tmp_path, place / 'run', '--rates', '.1', '0')
    assert '--steps must be at least 1 and --rates above 0, got [2, 4] and [0.1, 0.0]' in capsys.readouterr().err
