"""AVA and Charades: the study's numbers (B.3, B.4), and the twins on scenes of digits from data to figures."""

import json
import runpy
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, HOOKS, METRICS, MODELS

from iboot_mm.evaluation.protocols.adaptation import adapt
from iboot_mm.evaluation.protocols.catalog import RECIPES, choose
from iboot_mm.evaluation.protocols.lists import LabelledVideos, count_videos, digest_lists

from .config_files import load_config
from .datasets.benchmarks import trees
from .scripts import load_tool
from .test_downstream_configs import learning_rates

ROOT = Path(__file__).resolve().parents[1]
STUDY, MINI = ROOT / 'configs/baselines/downstream', ROOT / 'configs/mini/downstream'


@pytest.mark.parametrize('name, classes, epochs, lr, decay, milestones', [
    ('ava', 80, 32, .3, 1e-7, (16, 24, 28)), ('charades', 157, 60, .2, 1e-4, (40, 50))])
def test_training_is_the_study_s(name, classes, epochs, lr, decay, milestones):
    cfg = load_config(STUDY / f'finetune_{name}.py')
    head = cfg.model.cls_head
    assert (head.num_classes, head.in_channels, head.dropout_ratio) == (classes, 2048, .5)
    assert (cfg.train_cfg.max_epochs, cfg.train_cfg.global_batch) == (epochs, 64)
    assert epochs % cfg.train_cfg.val_interval == 0 and cfg.auto_scale_lr.base_batch_size == 64
    assert cfg.optim_wrapper.optimizer == dict(type='SGD', lr=lr, momentum=.9, weight_decay=decay, nesterov=True)
    rates = learning_rates(cfg)
    assert rates[0] == pytest.approx(.0005) and rates[5] == pytest.approx(lr) and rates[2] < rates[3]
    for epoch in range(5, epochs):
        assert rates[epoch] == pytest.approx(lr * .1**sum(epoch >= m for m in milestones))
    with torch.device('meta'):
        MODELS.build(cfg.model)


def test_data_of_ava_are_the_study_s(tmp_path, monkeypatch):
    """Laid out by prepare.py, read by the config as it stands."""
    trees.ava(tmp_path / 'root')
    monkeypatch.chdir(tmp_path)
    run_tool(monkeypatch, 'data/prepare.py', 'ava', 'root')
    cfg = load_config(STUDY / 'finetune_ava.py')
    train, test = (DATASETS.build(cfg[f'{part}_dataloader'].dataset) for part in ('train', 'test'))
    assert (len(train), len(test), test.confidence, train.proposal_file) == (2, 1, .8, None)
    for dataset in (train, test):
        sampler = dataset.pipeline.transforms[1]
        assert (sampler.clip_len, sampler.frame_interval, sampler.target_fps) == (8, 8, 30)
    crop = train.pipeline.transforms[3]
    assert (crop.size, crop.short_side, crop.flip_prob) == (224, (256, 320), .5)
    assert test.pipeline.transforms[3].short_side == 256
    metric = METRICS.build(cfg.test_evaluator)
    assert len(metric.names) == 60 and metric.most is None
    assert count_videos(cfg) == dict(train=dict(videos=2, official=235), test=dict(videos=1, official=64))
    assert set(digest_lists(cfg)) == {'data/ava/ava_train_v2.2.csv', 'data/ava/ava_val_v2.2.csv'}


def test_data_of_charades_are_the_study_s(tmp_path, monkeypatch):
    trees.charades(tmp_path / 'root')
    monkeypatch.chdir(tmp_path)
    run_tool(monkeypatch, 'data/prepare.py', 'charades', 'root')
    cfg = load_config(STUDY / 'finetune_charades.py')
    for part, views, crops, count in (('train', 1, 1, 2), ('test', 10, 3, 1)):
        dataset = DATASETS.build(cfg[f'{part}_dataloader'].dataset)
        sampler, crop, pack = (dataset.pipeline.transforms[n] for n in (1, 3, 4))
        assert (sampler.num_views, sampler.clip_len, sampler.frame_interval, crop.crops) == (views, 16, 8, crops)
        assert (crop.size, pack.num_classes, len(dataset)) == (224 if part == 'train' else 256, 157, count)
        assert pack.test_mode == crop.test_mode == (part == 'test')
    assert METRICS.build(cfg.test_evaluator).metrics == ('mean_average_precision', )


def test_the_protocols_run_these_configs():
    for recipes, folder in (('study', 'baselines/downstream/finetune_{}.py'),
                            ('paper', 'baselines/downstream/finetune_{}.py'), ('mini', 'mini/downstream/{}_digits.py')):
        chosen = choose(RECIPES[recipes], ['ava', 'charades'])
        assert [p.configs for p in chosen] == [(folder.format(name), ) for name in ('ava', 'charades')]
        assert [p.metrics for p in chosen] == [('ava/mAP', ), ('acc/mean_average_precision', )]


def test_lists_of_ones_own_have_no_boxes(tmp_path):
    cfg = load_config(MINI / 'ava_digits.py')
    (tmp_path / 'list.txt').write_text('a.mp4 0\n')
    (tmp_path / 'a.mp4').touch()
    with pytest.raises(ValueError, match='leave --videos out'):
        adapt(cfg, videos=LabelledVideos(tmp_path, tmp_path / 'list.txt', tmp_path / 'list.txt'))


@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp('scenes')
    load_tool('data/make_digit_scenes').make(folder / 'data' / 'digit_scenes', workers=1, limit=4)
    return folder


def run_tool(monkeypatch, tool, *arguments):
    monkeypatch.setattr(sys, 'argv', [tool, *map(str, arguments)])
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    runpy.run_path(str(ROOT / 'tools' / tool), run_name='__main__')


NARROW = ['model.backbone.base_channels=4', 'model.cls_head.in_channels=32', 'test_dataloader.num_workers=0']
SHORT = ['train_cfg.max_epochs=1', 'train_cfg.val_interval=1', 'train_cfg.global_batch=4', 'param_scheduler=None',
         *[f'{part}_dataloader.{option}' for part in ('train', 'val')
           for option in ('num_workers=0', 'persistent_workers=False')]]


@pytest.mark.parametrize('name, figure', [('ava', 'ava/mAP'), ('charades', 'acc/mean_average_precision')])
def test_the_twins_train_and_test_through_the_launchers(scenes, monkeypatch, name, figure):
    monkeypatch.chdir(scenes)
    config = MINI / f'{name}_digits.py'
    run_tool(monkeypatch, 'train.py', config, '--work-dir', name, '--cfg-options', *NARROW, *SHORT)
    run_tool(monkeypatch, 'test.py', config, f'{name}/epoch_1.pth', '--out', f'{name}.json', '--work-dir', name,
             '--cfg-options', *NARROW)
    figures = json.loads(Path(f'{name}.json').read_text())
    assert 0 <= figures[figure] <= 1


def test_a_head_of_another_width_than_the_data_is_told(scenes, monkeypatch):
    monkeypatch.chdir(scenes)
    cfg = load_config(MINI / 'ava_digits.py')
    dataset = DATASETS.build(dict(cfg.train_dataloader.dataset, num_classes=20))
    runner = type('Runner', (), dict(
        train_loop=type('Loop', (), dict(dataloader=type('Loader', (), dict(dataset=dataset)))),
        model=type('Model', (), dict(backbone=None, cls_head=type('Head', (), dict(num_classes=18))))))
    with pytest.raises(ValueError, match='num_classes is 20, but model.cls_head.num_classes is 18'):
        HOOKS.build(dict(type='ClassCountHook'))._check(runner, 'train')


def test_boxes_and_names_are_drawn_onto_the_video(scenes, monkeypatch, capsys):
    monkeypatch.chdir(scenes)
    torch.manual_seed(0)
    cfg = load_config(MINI / 'ava_digits.py')
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), 'detector.pth')
    video, persons = 'data/digit_scenes/videos/test_0001.mp4', 'data/digit_scenes/persons_val.csv'
    call = ['detect_actions.py', video, 'detector.pth', '--config', MINI / 'ava_digits.py', '--out', 'out.mp4']
    run_tool(monkeypatch, *call, '--persons', persons, '--least', 0)
    assert 'out.mp4: ' in capsys.readouterr().out
    with av.open('out.mp4') as drawn, av.open(video) as plain:
        frames = [[f.to_ndarray(format='rgb24') for f in c.decode(video=0)] for c in (drawn, plain)]
    assert len(frames[0]) == len(frames[1]) == 64 and frames[0][0].shape == (480, 480, 3)
    changed = [(np.abs(drawn.reshape(96, 5, 96, 5, 3).mean((1, 3)) - plain).max(-1) > 60).mean()
               for drawn, plain in zip(*frames)]
    assert max(changed[:8]) < .001 < .004 < min(changed[8:56])  # persons are known of the seconds 1 to 3
    assert max(changed[56:]) < .001
    with pytest.raises(SystemExit, match='no person of more than'):
        run_tool(monkeypatch, *call, '--persons', persons, '--confidence', 1)
    with pytest.raises(SystemExit, match='not an ActionDetector'):
        run_tool(monkeypatch, *call[:4], MINI / 'charades_digits.py', *call[5:], '--persons', persons)


def test_scenes_are_the_same_from_run_to_run_and_say_what_they_show(scenes, tmp_path):
    tool = load_tool('data/make_digit_scenes')
    tool.make(tmp_path / 'again', workers=1, limit=4)
    for file in sorted(p for p in (tmp_path / 'again').rglob('*') if p.is_file()):
        assert file.read_bytes() == (scenes / 'data/digit_scenes' / file.relative_to(tmp_path / 'again')).read_bytes()
    with pytest.raises(FileExistsError):
        tool.make(tmp_path / 'again')
    rng = np.random.default_rng(0)
    scans = np.ones((1, 8, 8), np.float32)
    parts = tool.draw_scene(scans, np.array([7]), rng)
    frames = tool.render_scene(parts, np.random.default_rng(1)).astype(int)
    empty = tool.render_scene([], np.random.default_rng(1)).astype(int)
    for second in tool.SECONDS:
        inked = (np.abs(frames[second * tool.FPS] - empty[second * tool.FPS]).sum(-1) > 60)
        inside = np.zeros_like(inked)
        for number, box in tool.boxes_at(parts, second):
            left, top, right, bottom = (np.array(box) * tool.SIZE).round().astype(int)
            inside[max(top - 2, 0):bottom + 2, max(left - 2, 0):right + 2] = True
            assert inked[top:bottom, left:right].mean() > .6 and parts[number]['labels'][0] == 7
        assert not inked[~inside].any()
