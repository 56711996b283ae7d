import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from ..scripts import load_tool

ROOT = Path(__file__).resolve().parents[2]


quickstart = load_tool('quickstart')
make_config = load_tool('make_config')


def call(monkeypatch, capsys, tool, *args):
    """Runs a tool's main; returns its exit status and what it printed."""
    monkeypatch.setattr(sys, 'argv', [tool.__name__, *map(str, args)])
    try:
        tool.main()
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
        if isinstance(stop.code, str):
            print(stop.code)
    captured = capsys.readouterr()
    return status, captured.out + captured.err


@pytest.fixture
def run(monkeypatch, capsys):
    return lambda tool, *args: call(monkeypatch, capsys, tool, *args)


def test_mmengine_lines_in_short():
    line = ('11/21 11:14:26 - mmengine - INFO - Epoch(train) [2][40/44]  base_lr: 1.9e-03 lr: 1.9e-03  eta: 0:03:29  '
            'time: 0.6873  data_time: 0.0175  loss: 1.5056  loss_digits: 1.5056')
    assert quickstart.show_training(line) == 'epoch 2, step  40 of 44: loss 1.506, 0:03:29 left'
    line = ('11/21 11:14:35 - mmengine - INFO - Epoch(val) [2][29/29]    digit/knn_top1: 0.3889  motion/knn_top1: '
            '0.1639  feature_spread: 0.5254  data_time: 0.0950  time: 0.2025')
    assert quickstart.show_training(line) == ('epoch 2, evaluation: digit/knn_top1: 0.3889  motion/knn_top1: 0.1639  '
                                              'feature_spread: 0.5254')
    assert quickstart.show_training('11/21 11:14:35 - mmengine - INFO - paramwise_options') is None


@pytest.mark.parametrize('options, words', [
    (['--videos', '/no/such/folder'], 'no folder /no/such/folder'),
    (['--videos', ROOT, '--checkpoint', ROOT / 'Makefile'], 'TEACHER=NAME_OR_CONFIG'),
    (['--videos', ROOT, '--checkpoint', '/no.pth', '--teacher', 'timm:resnet18'], 'no file /no.pth'),
    (['--lists', ROOT / 'Makefile'], 'VIDEOS=DIR'),
])
def test_bad_input_is_one_sentence(run, options, words):
    status, said = run(quickstart, *options)
    assert status == 2 and words in said


def test_a_failing_stage_stops_with_its_last_lines(tmp_path, capsys):
    with pytest.raises(SystemExit, match='exit status 3'):
        failing = [sys.executable, '-c', 'print("what went wrong"); raise SystemExit(3)']
        quickstart.run(failing, tmp_path / 'log', lambda _: None)
    assert 'what went wrong' in capsys.readouterr().err
    assert 'what went wrong' in (tmp_path / 'log').read_text()


def test_old_python_is_told(monkeypatch):
    monkeypatch.setattr(quickstart.sys, 'version_info', (3, 9))
    with pytest.raises(SystemExit, match='3.10 or later'):
        quickstart.check_python()


@pytest.fixture
def fruit(shared):
    return shared / 'data' / 'turntable_fruit'


@pytest.fixture
def teacher(tmp_path):
    file = tmp_path / 'teacher.py'
    file.write_text("teacher = dict(type='TimmTeacher', model='test_resnet', pretrained=False)\n")
    return file


def test_config_of_a_folder_without_labels(run, fruit, teacher, tmp_path):
    out = tmp_path / 'run' / 'config.py'
    assert run(make_config, out, '--videos', fruit / 'videos', '--teacher', teacher)[0] == 0
    cfg = Config.fromfile(out)
    assert cfg.model.teacher == dict(type='TimmTeacher', model='test_resnet', pretrained=False)
    assert cfg.train_dataloader.dataset.root == str((fruit / 'videos').resolve())
    gallery, query = cfg.val_dataloader.dataset.datasets
    assert (gallery.role, query.role) == ('gallery', 'query') and len(set(query.indices)) == 12
    assert not gallery.get('ann_file') and cfg.train_dataloader.dataset.pipeline[1].frame_interval == 2  # 32 frames


def test_hold_out_trains_on_the_first_list(run, fruit, teacher, tmp_path):
    out = tmp_path / 'config.py'
    lists = [fruit / 'train_variety.txt', fruit / 'test_variety.txt']
    assert run(make_config, out, '--videos', fruit / 'videos', '--teacher', teacher, '--lists', *lists,
               '--hold-out', '--epochs', 7, '--target-norm', 'none')[0] == 0
    cfg = Config.fromfile(out)
    gallery, query = cfg.val_dataloader.dataset.datasets
    assert Path(cfg.train_dataloader.dataset.ann_file) == Path(gallery.ann_file) == lists[0].resolve()
    assert Path(query.ann_file) == lists[1].resolve()
    assert cfg.train_cfg.max_epochs == cfg.param_scheduler[-1].end == 7 and cfg.model.target_norm == 'none'


def test_config_splits_a_single_list(run, fruit, teacher, tmp_path):
    out = tmp_path / 'config.py'
    whole = (fruit / 'train_variety.txt').read_text().splitlines()
    said = run(make_config, out, '--videos', fruit / 'videos', '--teacher', teacher, '--lists',
               fruit / 'train_variety.txt')[1]
    assert 'every fifth' in said and 'queries are among them' in said
    assert 'ann_file' not in Config.fromfile(out).train_dataloader.dataset
    parts = [(tmp_path / f'{name}.txt').read_text().splitlines() for name in ('gallery', 'query')]
    assert len(parts[1]) == len(whole) // 5 and sorted(sum(parts, [])) == sorted(whole)


@pytest.mark.parametrize('options, words', [
    (['--teacher', 'no_such_teacher'], "no teacher 'no_such_teacher'"),
    (['--checkpoint', 'weights.pth'], 'cannot say how it wants to be fed'),
    (['--lists', 'a', 'b', 'c'], 'not 3'),
    (['--lists', 'missing.txt'], 'no list missing.txt'),
    (['--hold-out'], 'give --lists'),
])
def test_bad_settings_are_one_sentence(run, options, words, tmp_path):
    for name in 'ab':
        (tmp_path / f'{name}.mp4').write_text('')
    status, said = run(make_config, tmp_path / 'config.py', '--videos', tmp_path, *options)
    assert status == 1 and words in said and not (tmp_path / 'config.py').exists()


def test_an_empty_folder_is_one_sentence(run, tmp_path):
    status, said = run(make_config, tmp_path / 'config.py', '--videos', tmp_path)
    assert status == 1 and str(tmp_path) in said
