import io
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from mmengine.config import Config

from iboot_mm.datasets import parallel

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


@pytest.mark.parametrize('options, words', [
    (['--videos', '/no/such/folder'], 'no folder /no/such/folder'),
    (['--videos', ROOT, '--checkpoint', ROOT / 'Makefile'], 'TEACHER=NAME_OR_CONFIG'),
    (['--videos', ROOT, '--checkpoint', '/no.pth', '--teacher', 'timm:resnet18'], 'no file /no.pth'),
    (['--lists', ROOT / 'Makefile'], 'VIDEOS=DIR'),
])
def test_bad_input_is_one_sentence(run, options, words):
    status, said = run(quickstart, *options)
    assert status == 2 and words in said


def test_of_the_evaluation_only_progress_is_shown(monkeypatch, tmp_path):
    printed = io.StringIO()
    with monkeypatch.context() as patch, redirect_stdout(printed):
        patch.setattr(parallel.time, 'monotonic', iter(range(0, 100, 10)).__next__)
        list(parallel.show_progress('abc', 3, 'batches encoded'))
    shown = []
    monkeypatch.setattr(quickstart, 'run', lambda command, log, show: shown.extend(
        show(line) for line in [*printed.getvalue().splitlines(), '360 queries in a gallery of 1437 videos']))
    (tmp_path / 'epoch_1.pth').touch()
    quickstart.evaluate(Path('python'), tmp_path / 'config.py', tmp_path, tmp_path / 'epoch_1.pth')
    assert shown == ['1 of 3 batches encoded, 0:00:20 left', '2 of 3 batches encoded, 0:00:10 left', None]


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


@pytest.mark.parametrize('videos, k', [(8, 7), (21, 20), (40, 20)])
def test_no_more_neighbors_than_the_gallery_has(run, tmp_path, videos, k):
    for number in range(videos + 2):
        (tmp_path / f'{number}.mp4').write_text('')
    lists = [tmp_path / 'gallery.txt', tmp_path / 'query.txt']
    lists[0].write_text(''.join(f'{number}.mp4 0\n' for number in range(videos)))
    lists[1].write_text(''.join(f'{number}.mp4 0\n' for number in range(videos, videos + 2)))
    out = tmp_path / 'config.py'
    assert run(make_config, out, '--videos', tmp_path, '--lists', *lists)[0] == 0
    cfg = Config.fromfile(out)
    assert cfg.val_evaluator == cfg.test_evaluator == dict(type='KNNMetric', k=k, temperature=.07)


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
