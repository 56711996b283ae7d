"""tools/analysis/evidence.py: which commands it runs, that it goes on where it was, and what its page says."""

import argparse
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import DictAction

from iboot_mm.evaluation.protocols.evidence import METHODS
from iboot_mm.stores.features import FeatureStore

from ..config_files import load_config
from ..scripts import load_tool

evidence = load_tool('analysis/evidence')
runs = load_tool('analysis/evidence_runs')
CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
QUERIES = 40


class FakeTools:
    """In the place of the tools that are called: notes the commands and leaves the files that they would."""

    def __init__(self) -> None:
        self.commands = []
        self.right = dict(iboot=30, simclr=20, untrained=8)  # of the queries, by method

    def __call__(self, command, log, show):
        words = [str(word) for word in command]
        measured = words[1] == '-c'
        took, words = Path(words[3]), words[5:] if measured else words[1:]
        tool, at = Path(words[0]).stem, {word: i for i, word in enumerate(words)}
        self.commands.append((tool, words))
        log.parent.mkdir(parents=True, exist_ok=True)
        if tool == 'make_config':
            Path(words[1]).parent.mkdir(parents=True, exist_ok=True)
            Path(words[1]).write_text('model = dict()\n')
        elif tool == 'train':
            folder = Path(words[at['--work-dir'] + 1])
            folder.mkdir(parents=True)
            (folder / 'epoch_1.pth').touch()
            (folder / 'last_checkpoint').write_text(str(folder / 'epoch_1.pth'))
            took.parent.mkdir(parents=True, exist_ok=True)
            for cpu, mib in ((40, 500), (50, 300)):  # it was stopped once
                with took.open('a') as file:
                    file.write(json.dumps(dict(wall=30, cpu=cpu, mib=mib)) + '\n')
        elif tool == 'evaluate':
            self.evaluate(Path(words[at['--out'] + 1]), words[at['--first-seed'] + 1],
                          words[at['--protocols'] + 1].split(','))

    def evaluate(self, out, seed, protocols):
        right = np.arange(QUERIES) < self.right.get(next((name for name in self.right if name in out.parts), ''), 0)
        for protocol in protocols:
            place = out / f'{protocol}_{seed}'
            figure = dict(knn='knn_top1', semi_10pct='acc/top1', finetune='acc/top1')[protocol]
            (place / 'recipe').mkdir(parents=True, exist_ok=True)
            (place / 'recipe' / 'config.py').write_text("test_evaluator = dict(type='KNNMetric', k=1)\n")
            (place / 'last_checkpoint').write_text(str(place / 'epoch_1.pth'))
            (place / 'epoch_1.pth').touch()
            counts = {part: dict(videos=QUERIES, official=None) for part in ('gallery', 'query', 'train', 'test')}
            (place / 'record.json').write_text(json.dumps(dict(figures={figure: right.mean()}, counts=counts)))
        if 'knn' in protocols:  # the nearest of two galleries says which class
            for role, labels, found in (('gallery', [0, 1], [0, 1]), ('query', [1] * QUERIES, right)):
                store = FeatureStore(out / 'features' / role, dict(role=role))
                store.append([dict(index=i, view_features=torch.eye(2)[int(which)][None], role=role, filename=f'{i}',
                                   labels=dict(label=label)) for i, (label, which) in enumerate(zip(labels, found))])
                store.flush()


@pytest.fixture
def tools(monkeypatch):
    fake = FakeTools()
    monkeypatch.setattr(runs, 'run', fake)
    return fake


@pytest.fixture
def call(monkeypatch, tmp_path, tools):
    """Runs the tool in this process; returns the page."""
    for file in ('train.txt', 'test.txt', 'train_2.txt', 'test_2.txt'):
        (tmp_path / file).write_text(''.join(f'{i}.mp4 {i % 2}\n' for i in range(95)))
    (tmp_path / 'videos').mkdir()
    lists = [tmp_path / name for name in ('train.txt', 'test.txt', 'train_2.txt', 'test_2.txt')]

    def run(*arguments, pairs=1):
        monkeypatch.setattr(sys, 'argv', [
            'evidence.py', '--data', 'people', *map(str, [tmp_path / 'videos', *lists[:2 * pairs]]),
            '--out', str(tmp_path / 'out'), '--page', str(tmp_path / 'page.md'), *map(str, arguments)])
        evidence.main()
        return (tmp_path / 'page.md').read_text()
    return run


def test_figures_differences_and_what_was_not_run(call, tools, tmp_path):
    page = call('--methods', 'untrained,iboot,simclr', '--protocols', 'knn', '--seeds', '0,1')
    assert [tool for tool, _ in tools.commands].count('train') == 4
    # 30 and 20 of 40 on the same videos, whatever the seed: Clopper and Pearson of one test, and the paired difference
    assert '| iBoot of this project | 75.0 ± 0.0 [59, 87] (2 runs) | not run |' in page
    assert '| rho-SimCLR | 50.0 ± 0.0 [34, 66] (2 runs) |' in page
    assert re.search(r'iBoot of this project is ahead of .*rho-SimCLR \(\+25\.0 \[\+1\d\.\d, \+4\d\.\d\], 2 of', page)
    assert 'nothing was run of iBoot as published' in page and 'rho-MoCo' in page.split('nothing was run of')[1]
    assert '| people | rho-SimCLR | 1.0 | 1.5 | 500 |' in page and str(tmp_path) not in page
    assert '<svg' in (tmp_path / 'page.svg').read_text()


def test_what_is_done_is_not_done_again_and_more_is_added(call, tools, capsys):
    call('--methods', 'iboot', '--protocols', 'knn', '--seeds', '0')
    assert '1 runs, 1 of them are to be trained, at 8:30 minutes each (a guess' in capsys.readouterr().out
    tools.commands.clear()
    page = call('--methods', 'iboot', '--protocols', 'knn,finetune_10pct', '--seeds', '0,1')
    assert '1 of them are to be trained, at 1:00 minutes each (so far) about 0.0 hours' in capsys.readouterr().out
    train = [words for tool, words in tools.commands if tool == 'train']
    assert len(train) == 1 and train[0][train[0].index('--seed') + 1] == '1'
    evaluations = [words for tool, words in tools.commands if tool == 'evaluate']
    tenth = next(words for words in evaluations if 'semi_10pct' in words)
    assert tenth[tenth.index('--epochs') + 1] == '160'  # of one step: nine videos
    assert '| iBoot of this project | 75.0 ± 0.0 [59, 87] (2 runs) | not run | not run | not run | 75.0' in page
    assert call('--page-only') == page


def test_what_a_call_took_is_kept_where_it_is_stopped(tmp_path):
    took = tmp_path / 'took.jsonl'
    patient = 'import time; print("begun", flush=True); time.sleep(60)'
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen([sys.executable, '-c', runs.MEASURED, took, sys.executable, '-c', patient],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert process.stdout.readline() == 'begun\n'
        process.send_signal(number)
        assert process.wait(30) != 0
    lines = [json.loads(line) for line in took.read_text().splitlines()]
    assert len(lines) == 2 and all(0 < line['wall'] < 60 and line['mib'] > 1 for line in lines)


def test_any_seed_is_on_the_page(call):
    assert '| untrained network | 20.0' in call('--methods', 'untrained', '--protocols', 'knn', '--seeds', '4711')


def test_each_run_has_its_own_split(call, tools):
    page = call('--methods', 'iboot', '--protocols', 'knn', '--seeds', '0,1', pairs=2)
    lists = [words[words.index('--lists') + 1:words.index('--lists') + 3] for tool, words in tools.commands
             if tool == 'evaluate']
    assert [[Path(file).name for file in pair] for pair in lists] == [['train.txt', 'test.txt'],
                                                                      ['train_2.txt', 'test_2.txt']]
    assert '40 videos are tested in a run, in 2 splits.' in page
    assert '75.0 ± 0.0 [64, 84]' in page  # of 80 videos


def test_the_page_says_how_it_was_made_and_not_where(call, tools, tmp_path):
    (tmp_path / 'weights.pth').touch()
    teacher = evidence.ROOT / 'configs' / 'mini' / 'teachers' / 'mobilenetv2_coral.py'
    page = call('--methods', 'iboot', '--protocols', 'knn', '--seeds', '0', '--teacher', teacher, '--checkpoint',
                tmp_path / 'weights.pth')
    assert ('--data people PEOPLE/videos PEOPLE/train.txt PEOPLE/test.txt --teacher '
            'configs/mini/teachers/mobilenetv2_coral.py --checkpoint weights.pth') in page
    config = next(words for tool, words in tools.commands if tool == 'make_config')
    assert config[config.index('--checkpoint') + 1] == str(tmp_path / 'weights.pth') and '--hold-out' in config


def test_published_settings_frozen_and_supervised_networks(call, tools):
    page = call('--methods', 'iboot_published,teacher,supervised', '--protocols', 'knn,finetune', '--seeds', '0')
    train = next(words for tool, words in tools.commands if tool == 'train')
    assert 'model.target_norm=none' in train
    evaluated = [words for tool, words in tools.commands if tool == 'evaluate']
    assert not any('finetune' in words for words in evaluated if words[1] == 'teacher')
    scratch = next(words for words in evaluated if 'finetune' in words and words[1] == 'random')
    assert 'untrained' in Path(scratch[scratch.index('--out') + 1]).parts
    supervised = next(words for words in evaluated if 'supervised' in Path(words[words.index('--out') + 1]).parts)
    assert Path(supervised[1]).parent.name == 'finetune_0' and 'untrained' in Path(supervised[1]).parts
    assert '| supervised from scratch | 20.0' not in page and '| untrained network | not run |' in page


@pytest.mark.parametrize('arguments, message', [
    (('--methods', 'iboot,dino'), "--methods has no 'dino': choose from untrained"),
    (('--only', 'fruit'), "--only has no 'fruit': choose from people"),
    (('--data', 'fruit', 'videos'), '--data fruit wants the folder of the videos and pairs of lists'),
    (('--data', 'fruit', 'no', 'a.txt', 'b.txt'), '--data fruit: there is no no')])
def test_a_wrong_argument_is_named(arguments, message, call, capsys):
    with pytest.raises(SystemExit):
        call(*arguments)
    assert message in capsys.readouterr().err


def test_on_the_digits_the_motion_target_has_its_own_config(call, tools):
    call('--data', 'digits', '--only', 'digits', '--methods', 'iboot,iboot_motion', '--protocols', 'knn', '--seeds',
         '0')
    bases = [Path(words[words.index('--base') + 1]).name for tool, words in tools.commands if tool == 'make_config']
    assert bases == ['iboot_r18_digits.py', 'iboot_motion_r18_digits.py']
    options = [words[words.index('--cfg-options') + 1:] if '--cfg-options' in words else []
               for tool, words in tools.commands if tool == 'train']
    assert options == [['model.motion=None'], []]


@pytest.mark.parametrize('method', [name for name, method in METHODS.items() if method.recipe == 'iboot'])
def test_options_build_the_method_on_a_folder(method):
    cfg = load_config(CONFIGS / 'mini' / 'iboot_r18_folder.py')
    action = DictAction(['--cfg-options'], 'options')
    options = argparse.Namespace()
    action(argparse.ArgumentParser(), options, list(METHODS[method].options))
    cfg.merge_from_dict(options.options)
    cfg.model.teacher = dict(type='TimmTeacher', model='test_resnet', pretrained=False, input_size=32, precision='fp32')
    model = MODELS.build(cfg.model)
    assert (model.motion is not None) == (method == 'iboot_motion')
    assert (model.contrast is None) == (method == 'iboot_published')
    if method == 'iboot_motion':
        stages = model.backbone.layer1, model.backbone.layer4
        assert [stage[0].conv1.conv.kernel_size[0] for stage in stages] == [3, 3]
