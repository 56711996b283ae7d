"""From folders of runs to a picture and its points, or one sentence."""

import csv
import json
import re
import sys

import pytest
from PIL import Image

from ..run_logs import write_config, write_start
from ..scripts import load_tool

TOOL = load_tool('analysis/plot_runs')


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """The folder to be in: two methods with one and two clips, two seeds each, some of them resumed, and a stranger."""
    monkeypatch.chdir(tmp_path)
    for model, offset in (('VideoBYOL', .1), ('VideoMoCo', 0.)):
        for rho in (1, 2):
            for seed in (0, 1):
                folder = tmp_path / f'{model[5:].lower()}_rho{rho}_seed{seed}'
                value = lambda at, top=offset + .1 * rho + .02 * seed: top + at / 100
                stop = 2.5 if (rho, seed) == (2, 1) else 4
                starts = [write_start(folder, 0, stop, value=value)]
                if stop < 4:
                    starts.append(write_start(folder, 2, 4, 20, value=value, stamp='20260102_000000'))
                for start in starts:
                    write_config(start, model, 2, seed, same=rho == 1)
    (write_start(tmp_path / 'empty', 0, 1) / 'vis_data/scalars.json').write_text('')
    (tmp_path / 'notes.txt').write_text('a note\nand more\n')
    write_start(tmp_path / '_their $run=1$', 0, 3, seconds=None, validations=False)
    return tmp_path


def call(monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', ['plot_runs.py', *map(str, arguments)])
    TOOL.main()


def points(name='runs'):
    with open(f'{name}.csv') as file:
        rows = list(csv.DictReader(file))
    found = json.loads(open(f'{name}.json').read())['points']
    assert [[row['name'], float(row['x']) if re.fullmatch(r'[\d.]+', row['x']) else row['x'], float(row['mean'])]
            for row in rows] == [[row['name'], row['x'], row['mean']] for row in found]
    return found


def test_curves_of_seeds_are_averaged(runs, monkeypatch, capsys):
    call(monkeypatch, *sorted(runs.glob('*_rho2_*')))
    found = points()
    assert {row['name'] for row in found} == {'byol_rho2', 'moco_rho2'} and {row['runs'] for row in found} == {2}
    assert [row['x'] for row in found] == [1, 2, 3, 4] * 2 and {row['metric'] for row in found} == {'digit/knn_top1'}
    assert found[3]['mean'] == pytest.approx(.35) and found[3]['deviation'] == pytest.approx(.02 / 2**.5)
    assert 'digit/knn_top1  byol_rho2  35 \u00b1 1.41 % at 4' in capsys.readouterr().out
    assert Image.open('runs.png').size[0] > 400


@pytest.mark.parametrize('over, last', [('step', 160), ('time', 160 * .5 / 3600)])
def test_other_axes(runs, monkeypatch, over, last):
    call(monkeypatch, 'byol_rho1_seed0', '--over', over, '--metric', 'loss', '--out', 'x.svg')
    found = points('x')
    assert found[-1]['x'] == pytest.approx(last) and found[0]['deviation'] is None
    assert open('x.svg').read().startswith('<?xml')


def test_last_figures_over_the_number_of_clips(runs, monkeypatch):
    call(monkeypatch, *sorted(runs.glob('*_rho*')), '--over', 'rho')
    assert [(row['name'], row['x'], round(row['mean'], 6), row['runs']) for row in points()] == [
        ('VideoBYOL', 1, .25, 2), ('VideoBYOL', 2, .35, 2), ('VideoMoCo', 1, .15, 2), ('VideoMoCo', 2, .25, 2)]
    call(monkeypatch, 'byol_rho1_seed0', 'moco_rho1_seed0', '--over', 'model.type')
    assert [row['x'] for row in points()] == ['VideoBYOL', 'VideoMoCo']


def test_runs_that_are_no_seeds_are_told(runs, monkeypatch, capsys):
    call(monkeypatch, *sorted(runs.glob('*_rho*')), '--over', 'rho')
    assert not capsys.readouterr().err
    write_config(next(runs.glob('byol_rho2_seed1/*2_*')), 'VideoBYOL', 2, 1, epochs=9)
    call(monkeypatch, *sorted(runs.glob('byol*')), '--over', 'rho')
    assert capsys.readouterr().err == (
        'VideoBYOL at 2 is the mean of 2 runs whose configs differ in train_cfg.max_epochs: give them names '
        '(NAME=RUN) to tell them apart\n')
    call(monkeypatch, 'a=byol_rho2_seed0', 'b=byol_rho2_seed1', '--over', 'rho')
    assert not capsys.readouterr().err


def test_checkpoints_of_an_evaluation_are_no_seeds(runs, monkeypatch):
    (runs / 'eval').mkdir()
    checkpoints = [dict(name=name) for name in ('byol_rho2_seed0/epoch_4.pth', 'moco_rho2_seed0/epoch_4.pth',
                                                'eval/networks/random_0.pth', 'eval/networks/random_1.pth')]
    rows = [dict(name='linear', figures={'acc/top1': [.5, .25, .125, .375]})]
    (runs / 'eval/results.json').write_text(json.dumps(dict(checkpoints=checkpoints, rows=rows)))
    call(monkeypatch, 'eval', '--over', 'name')
    assert {row['x']: (row['mean'], row['runs']) for row in points()} == {
        'byol_rho2_seed0/epoch_4.pth': (.5, 1), 'moco_rho2_seed0/epoch_4.pth': (.25, 1), 'networks/random': (.25, 2)}
    with pytest.raises(SystemExit, match='of byol_rho2_seed0/epoch_4.pth there are the figures of an evaluation'):
        call(monkeypatch, 'eval')


@pytest.mark.parametrize('name', ['results.json', 'scalars.json', 'table.csv'])
def test_points_take_no_other_file_s_place(runs, monkeypatch, name):
    (runs / name).write_text('{"rows": []}')
    with pytest.raises(SystemExit, match=f'plot_runs: .* take the place of {name}, .*: choose another --out'):
        call(monkeypatch, 'byol_rho1_seed0', '--out', f'{name.partition(".")[0]}.png')
    assert (runs / name).read_text() == '{"rows": []}'
    for _ in range(2):  # one's own are replaced
        call(monkeypatch, 'byol_rho1_seed0', '--metric', 'loss', '--out', 'x.svg')
    with pytest.raises(SystemExit, match='plot_runs: .*: choose another --out'):
        call(monkeypatch, 'byol_rho1_seed0', '--out', f'{name}/x.svg')


def test_bars_by_names(runs, monkeypatch):
    named = {'BYOL: T S C': 'byol_rho2_seed0', 'BYOL: S C': 'byol_rho1_seed0', 'MoCo: T S C': 'moco_rho2_seed0'}
    call(monkeypatch, *map('='.join, named.items()), 'MoCo: T S C=moco_rho2_seed1', '--over', 'name')
    assert [(row['name'], row['x'], row['runs']) for row in points()] == [
        ('BYOL', 'T S C', 1), ('BYOL', 'S C', 1), ('MoCo', 'T S C', 2)]


def test_names_each_run_and_those_without_a_metric(runs, monkeypatch, capsys):
    call(monkeypatch, 'a=byol_rho1_seed0', 'a=moco_rho1_seed0', '_their $run=1$', '--metric', 'loss', 'knn_top1')
    assert {row['name'] for row in points()} == {'a', '_their $run=1$'}  # a path that is there is no name
    assert '_their $run=1$ logged no digit/knn_top1 and is left out there' in capsys.readouterr().err
    call(monkeypatch, 'byol_rho1_seed0', 'byol_rho1_seed1', '--each')
    assert {row['name'] for row in points()} == {'byol_rho1_seed0', 'byol_rho1_seed1'}
    call(monkeypatch, 'byol_rho1_seed0', 'byol_rho1_seed0/')  # once
    assert {row['runs'] for row in points()} == {1}
    call(monkeypatch, 'byol_rho1_seed0', '_their $run=1$')  # what all of them have
    assert {row['metric'] for row in points()} == {'loss'}


@pytest.mark.parametrize('arguments, sentence', [
    (['nowhere'], 'there is no run at .*nowhere'), (['.'], r'name runs in it, such as '),
    (['empty'], 'empty has logged nothing yet'), (['notes.txt'], 'notes.txt, line 1 is no JSON'),
    (['byol_rho1_seed0', '--metric', 'top5'], 'no run logged top5: choose with --metric of lr, loss'),
    (['_their $run=1$', '--over', 'rho'], 'no config beside it can be read'),
    (['_their $run=1$', '--over', 'time'], "_their .* logged no 'time' of its iterations: take 'epoch' or 'step' with"),
    (['byol_rho1_seed0', '--over', 'model.depth'], 'its config has no model.depth')])
def test_what_cannot_be_drawn_is_one_sentence(runs, monkeypatch, arguments, sentence):
    with pytest.raises(SystemExit, match=f'plot_runs: .*{sentence}'):
        call(monkeypatch, *arguments)
    assert not (runs / 'runs.png').exists()
