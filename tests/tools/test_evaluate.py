"""tools/evaluate.py: which commands it runs, what it makes of their figures, and that it goes on where it was."""

import itertools
import json
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config

from iboot_mm.evaluation.protocols.lists import digest_lists

from ..scripts import load_tool
from ..videos import moving_frames, write_video

evaluate = load_tool('evaluate')
runs = load_tool('evaluation_runs')
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkpoint(tmp_path):
    """Two training checkpoints of a small network, with their config."""
    (tmp_path / 'work').mkdir()
    cfg = Config(dict(
        model=dict(type='IBoot', feature_dim=64, teacher=dict(type='PatchMeanTeacher'),
                   backbone=dict(type='ResNet3dSlowOnly', depth=18, base_channels=8, lateral=False)),
        test_dataloader=dict(dataset=dict(type='VideoFolder', pipeline=[
            dict(type='SampleViews', clip_len=4, frame_interval=1),
            dict(type='CropViews', size=32, short_side=32, test_mode=True)]))))
    cfg.dump(tmp_path / 'work' / 'config.py')
    for epoch in (1, 2):
        torch.manual_seed(epoch)
        torch.save(dict(meta={}, state_dict=MODELS.build(cfg.model).state_dict()), tmp_path / 'work' / f'{epoch}.pth')
    return tmp_path / 'work' / '1.pth'


@pytest.fixture
def videos(tmp_path):
    """Arguments that name 24 videos to train on and three to test on, of three classes."""
    for i in range(27):
        write_video(tmp_path / f'{i}.mp4', moving_frames(6, 40, 40, seed=i))
    (tmp_path / 'train.txt').write_text(''.join(f'{i}.mp4 {i % 3}\n' for i in range(24)))
    (tmp_path / 'test.txt').write_text(''.join(f'{i}.mp4 {i % 3}\n' for i in range(24, 27)))
    return ['--videos', tmp_path, '--lists', tmp_path / 'train.txt', tmp_path / 'test.txt']


@pytest.fixture
def call(monkeypatch, capsys):
    """Runs the tool in this process and returns what it printed."""
    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['tools/evaluate.py', *map(str, arguments)])
        evaluate.main()
        return capsys.readouterr().out
    return run


@pytest.fixture
def commands(monkeypatch):
    """The commands that the tool runs, run in this process."""
    found = []

    def in_process(command, log, show, env=None, cwd=None):
        found.append([str(part) for part in command])
        with monkeypatch.context() as patch:
            patch.setattr(sys, 'argv', found[-1][1:])
            runpy.run_path(found[-1][1], run_name='__main__')

    monkeypatch.setattr(runs, 'run', in_process)
    return found


def test_protocols_run_once_and_their_results_are_written(checkpoint, videos, call, commands, tmp_path):
    small = ['--cfg-options', 'train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False',
             'val_dataloader.num_workers=0', 'val_dataloader.persistent_workers=False', 'test_dataloader.num_workers=0']
    arguments = [checkpoint, checkpoint.with_name('2.pth'), '--protocols', 'retrieval,finetune', '--epochs', 1, '--out',
                 tmp_path / 'out', *videos, *small]
    printed = call(*arguments)
    assert [Path(c[1]).name for c in commands] == ['test.py', 'test.py', 'train.py', 'test.py', 'train.py', 'test.py']
    results = json.loads((tmp_path / 'out' / 'results.json').read_text())
    retrieval, finetune = results['rows']
    counts = [{name: count['videos'] for name, count in row['counts'].items()} for row in (retrieval, finetune)]
    assert counts == [dict(gallery=24, query=3), dict(train=24, test=3)]
    assert retrieval['figures']['retrieval/R@20'] == [1., 1.]  # 4 of 24 are not looked at, of each class there are 8
    assert len(finetune['figures']['acc/top1']) == 2
    log = (tmp_path / 'out' / 'finetune_1' / 'metrics.json').read_text()
    assert json.loads(log)['acc/top1'] == finetune['figures']['acc/top1'][1]
    assert [c['seed'] for c in results['checkpoints']] == [0, 1]
    assert 'fine-tuning' in printed and 'retrieval' in (tmp_path / 'out' / 'results.md').read_text()
    assert (tmp_path / 'out' / 'results.svg').read_text().startswith('<?xml')

    commands.clear()
    assert 'was done before' in call(*arguments) and not commands
    with pytest.raises(SystemExit, match='finetune_0 holds a run with other settings, weights or lists'):
        call(*[2 if argument == 1 else argument for argument in arguments])


def test_a_gallery_of_fewer_videos_than_neighbours(checkpoint, videos, call, commands, tmp_path):
    (tmp_path / 'train.txt').write_text(''.join(f'{i}.mp4 0\n' for i in range(4)))
    (tmp_path / 'test.txt').write_text('24.mp4 0\n25.mp4 1\n')
    call(checkpoint, '--protocols', 'knn', '--out', tmp_path / 'out', *videos, '--cfg-options',
         'test_dataloader.num_workers=0')
    assert json.loads((tmp_path / 'out' / 'results.json').read_text())['rows'][0]['figures'] == dict(knn_top1=[.5])


def test_figures_of_other_weights_or_lists_are_never_taken_for_these(checkpoint, videos, call, figures, tmp_path,
                                                                     monkeypatch):
    monkeypatch.setattr(runs, 'digest_lists', digest_lists)
    arguments = [checkpoint, '--protocols', 'finetune', '--out', tmp_path / 'out', *videos]
    call(*arguments)
    call(*arguments)
    assert len(figures) == 2  # trained and tested once
    before = (tmp_path / 'train.txt').read_text()
    (tmp_path / 'train.txt').write_text(before.replace('0.mp4 0', '0.mp4 1', 1))
    with pytest.raises(SystemExit, match='finetune_0 holds a run with other settings, weights or lists'):
        call(*arguments)
    (tmp_path / 'train.txt').write_text(before)
    call(*arguments)
    checkpoint.write_bytes(checkpoint.with_name('2.pth').read_bytes())  # trained anew
    with pytest.raises(SystemExit, match='finetune_0 holds a run with other settings, weights or lists'):
        call(*arguments)


def test_fine_tuning_starts_from_the_checkpoint(checkpoint, videos, call, commands, tmp_path):
    frozen = ['--cfg-options', 'optim_wrapper.optimizer.lr=0.', 'train_dataloader.num_workers=0',
              'train_dataloader.persistent_workers=False', 'val_dataloader.num_workers=0',
              'val_dataloader.persistent_workers=False', 'test_dataloader.num_workers=0']
    call(checkpoint, '--protocols', 'finetune', '--epochs', 1, '--out', tmp_path / 'out', *videos, *frozen)
    tuned = torch.load(tmp_path / 'out' / 'finetune_0' / 'epoch_1.pth')['state_dict']
    start = torch.load(checkpoint, weights_only=True)['state_dict']
    for key in ('backbone.conv1.conv.weight', 'backbone.layer4.1.conv2.conv.weight'):
        assert torch.equal(tuned[key], start[key])


@pytest.fixture
def figures(monkeypatch):
    """Commands are only noted; each test gives the next of these figures."""
    found, values = [], iter(range(100))

    def note(command, log, show, env=None, cwd=None):
        command = [str(part) for part in command]
        found.append(command)
        folder = Path(command[command.index('--work-dir') + 1])
        if 'train' in Path(command[1]).name:
            (folder / 'last_checkpoint').write_text(str(folder / 'epoch_9.pth'))
        else:
            value = next(values) / 100
            (folder / 'metrics.json').write_text(json.dumps({'acc/top1': value, 'acc/top5': 2 * value}))

    monkeypatch.setattr(runs, 'run', note)
    monkeypatch.setattr(runs, 'count_videos', lambda cfg: {})
    monkeypatch.setattr(runs, 'digest_lists', lambda cfg: {})
    return found


def test_splits_are_averaged_and_one_training_is_tested_under_other_views(checkpoint, call, figures, tmp_path):
    trained_on_clips_of(8, 8, checkpoint)
    printed = call(checkpoint, '--protocols', 'ucf101_3splits,ssv2,ssv2_3views', '--out', tmp_path / 'out')
    rows = {row['name']: row for row in json.loads((tmp_path / 'out' / 'results.json').read_text())['rows']}
    assert rows['ucf101_3splits']['figures']['acc/top1'] == [pytest.approx((0 + .01 + .02) / 3)]
    assert rows['ucf101_3splits']['figures']['acc/top1, split 3'] == [.02]
    assert rows['ssv2']['figures']['acc/top1'] == [.03] and rows['ssv2_3views']['figures']['acc/top5'] == [.08]
    assert 'fine-tuning, UCF101, mean of 3 splits' in printed and '94.5 (Table 10)' in printed
    names = [Path(c[1]).name for c in figures]
    assert names == ['train.py', 'test.py'] * 4 + ['test.py']
    assert figures[-1][3] == str(tmp_path / 'out' / 'ssv2_0' / 'epoch_9.pth')
    trained = Config.fromfile(figures[0][2])
    assert trained.load_from == str(checkpoint) and trained.model.backbone.base_channels == 8
    assert trained.model.cls_head.in_channels == 64 and trained.model.cls_head.num_classes == 101
    assert trained.train_dataloader.dataset.pipeline[3]['size'] == 224  # a published protocol's own


def trained_on_clips_of(length: int, interval: int, checkpoint: Path) -> None:
    cfg = Config.fromfile(checkpoint.with_name('config.py'))
    cfg.test_dataloader.dataset.pipeline[0].update(clip_len=length, frame_interval=interval)
    cfg.dump(checkpoint.with_name('config.py'))


@pytest.mark.parametrize('recipes', ['paper', 'study'])
@pytest.mark.parametrize('length, interval', [(16, 4), (32, 2), (8, 8)])
def test_clips_are_the_checkpoints(checkpoint, call, figures, tmp_path, recipes, length, interval):
    trained_on_clips_of(length, interval, checkpoint)
    call(checkpoint, '--protocols', 'linear,ssv2', '--recipes', recipes, '--out', tmp_path / 'out')
    dense, segments = (Config.fromfile(command[2]) for command in figures[::2])
    sizes = {16: (8, 1), 32: (4, 1), 8: (16, 1)}[length]
    for loader, batch_size in zip((dense.train_dataloader, dense.test_dataloader), sizes):
        views = loader.dataset.pipeline[1]
        assert (views.clip_len, views.frame_interval, loader.batch_size) == (length, interval, batch_size)
    assert dense.test_dataloader.dataset.pipeline[3]['size'] == 256  # the protocol's own views
    assert segments.train_dataloader.dataset.pipeline[1].clip_len == 8
    linear, ssv2 = json.loads((tmp_path / 'out' / 'results.json').read_text())['rows']
    assert linear['title'].endswith(f', clips of {length}x{interval}') == (length != 8)
    assert linear['paper'] == (71.8 if length == 8 and recipes == 'paper' else None)  # which is of 8x8
    assert 'clips of' not in ssv2['title']


def test_several_processes_go_through_the_launchers(checkpoint, call, figures, tmp_path):
    call(checkpoint, '--protocols', 'ucf101', '--out', tmp_path / 'out', '--processes', 4)
    train, test = figures
    assert train[:2] == ['bash', str(ROOT / 'tools/dist_train.sh')] and train[3] == '4'
    assert test[1] == str(ROOT / 'tools/dist_test.sh') and test[4] == '4' and test[3].endswith('epoch_9.pth')


@pytest.mark.parametrize('arguments, words', [
    (['--out', 'x', '--protocols', 'knn'], 'checkpoints is needed'),
    (['a.pth', '--out', 'x'], '--protocols is needed'),
    (['random', '--out', 'x', '--protocols', 'knn'], 'random needs --config'),
    (['a.pth', '--out', 'x', '--protocols', 'no'], "no protocol 'no'"),
    (['a.pth', '--out', 'x', '--protocols', 'ssv2_3views,ssv2'], 'name ssv2 before it'),
    (['a.pth', '--out', 'x', '--protocols', 'knn', '--videos', '.'], 'belong together'),
    (['a.pth', '--out', 'x', '--protocols', 'knn', '--videos', '.', '--lists', 'no.txt', 'no.txt'], 'no file no.txt'),
    (['absent.pth', '--out', 'x', '--protocols', 'knn'], 'absent.pth'),
    (['CHECKPOINT', '--out', 'x', '--protocols', 'knn'], 'there is no list data/kinetics400/'),
    (['teacher', '--config', 'CONFIG', '--out', 'x', '--protocols', 'linear'], 'linear trains the network'),
])
def test_bad_input_is_one_sentence(checkpoint, call, arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        named = dict(CONFIG=checkpoint.with_name('config.py'), CHECKPOINT=checkpoint)
        call(*[named.get(argument, argument) for argument in arguments])
    assert words in f'{stop.value} {capsys.readouterr().err}'


def test_weights_that_can_not_be_fetched_are_one_sentence(checkpoint, videos, call, monkeypatch, tmp_path):
    def unreachable(*args):
        raise ConnectionError('Can not fetch open_clip_model.safetensors')

    monkeypatch.setattr(evaluate, 'load_network', unreachable)
    with pytest.raises(SystemExit, match='^Can not fetch open_clip_model.safetensors$'):
        call(checkpoint, *videos, '--protocols', 'knn', '--out', tmp_path / 'out')


def test_random_weights_are_not_tested_by_mistake(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, 'argv', ['test.py', str(ROOT / 'configs/mini/downstream/knn_digits.py'), 'none',
                                      '--work-dir', str(tmp_path)])
    with pytest.raises(SystemExit, match='`none` would test random ones'):
        runpy.run_path(str(ROOT / 'tools/test.py'), run_name='__main__')


def test_every_protocol_has_its_config():
    for protocol in itertools.chain(*evaluate.RECIPES.values()):
        for config in protocol.configs:
            assert (ROOT / 'configs' / config).is_file(), config


def test_list(call):
    assert 'fine-tuning, SSv2, 16x8, 3 views' in call('--list')
    assert 'fine-tuning, SSv2, 8 segments, 22 epochs, 1 view' in call('--list', '--recipes', 'study')
