"""Configs of evaluations on stored features: one checkpoint in, figures out, at both sizes."""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmaction.registry import LOOPS, METRICS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from .videos import moving_frames, write_video

ROOT = Path(__file__).resolve().parents[1]
KNN, RETRIEVAL = dict(type='KNNMetric', k=20, temperature=.07), dict(type='VideoRetrievalMetric', topk=(1, 5, 10, 20))
CLIP = dict(type='SampleViews', num_views=1, clip_len=8, frame_interval=8, test_mode=True)
RECIPES = {  # metric and data: gallery and queries
    'knn_k400': (KNN, [('kinetics400/videos_train', 'kinetics400_train_list_videos.txt'),
                       ('kinetics400/videos_val', 'kinetics400_val_list_videos.txt')]),
    **{f'retrieval_{data}': (RETRIEVAL, [(f'{data}/videos', f'{data}_{part}_split_1_videos.txt')
                                         for part in ('train', 'val')]) for data in ('ucf101', 'hmdb51')},
}


@pytest.mark.parametrize('name', RECIPES)
def test_protocol_is_the_paper_s(name):
    metric, lists = RECIPES[name]
    cfg = Config.fromfile(ROOT / f'configs/downstream/{name}.py')
    init_default_scope(cfg.default_scope)
    parts = cfg.test_dataloader.dataset.datasets
    assert [(part.root, part.ann_file) for part in parts] == [
        (f'data/{root}', f'data/{root.split("/")[0]}/{ann_file}') for root, ann_file in lists]
    assert [part.role for part in parts] == ['gallery', 'query'] and all(part.test_mode for part in parts)
    for part in parts:
        assert part.pipeline[1] == CLIP
        assert part.pipeline[3] == dict(type='CropViews', size=224, short_side=256, test_mode=True)
    assert cfg.test_evaluator == metric
    assert LOOPS.get(cfg.test_cfg.type) and METRICS.build(cfg.test_evaluator)
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    assert sum(p.numel() for p in model.backbone.parameters()) / 1e6 == pytest.approx(32.45 - 400 * 2049 / 1e6, abs=.01)


def test_pre_training_validates_on_the_same_clips():
    parts, pretraining = (Config.fromfile(ROOT / f'configs/{name}.py').test_dataloader.dataset.datasets
                          for name in ('downstream/knn_k400', 'iboot_r50_clip_k400'))
    assert parts == pretraining


def test_gallery_of_something_something_takes_segments():
    cfg = Config.fromfile(ROOT / 'configs/downstream/_base_/datasets/ssv2_gallery_query.py')
    parts = cfg.test_dataloader.dataset.datasets
    names = [Path(part.ann_file).name for part in parts]
    assert names == [f'sthv2_{part}_list_videos.txt' for part in ('train', 'val')]
    assert all(part.pipeline[1] == dict(CLIP, sampling='segments') for part in parts)


@pytest.fixture
def digits(tmp_path, monkeypatch):
    """A folder like data/moving_digits, the working folder, and a checkpoint of the mini network."""
    folder = tmp_path / 'data' / 'moving_digits'
    folder.mkdir(parents=True)
    for number in range(6):
        write_video(folder / f'{number}.mp4', moving_frames(16, 48, 48, seed=number))
    lines = [f'{number}.mp4 {number % 2} {number % 3}\n' for number in range(6)]
    (folder / 'train.txt').write_text(''.join(lines[:4]))
    (folder / 'test.txt').write_text(''.join(lines[4:] + lines[:1]))
    cfg = Config.fromfile(ROOT / 'configs/mini/downstream/knn_digits.py')
    torch.manual_seed(0)
    init_default_scope(cfg.default_scope)
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), tmp_path / 'weights.pth')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_test(monkeypatch, config, *options):
    monkeypatch.setattr(sys, 'argv', ['test.py', str(ROOT / config), 'weights.pth', '--out', 'metrics.json',
                                      '--cfg-options', 'test_dataloader.num_workers=0', *options])
    runpy.run_path(str(ROOT / 'tools/test.py'), run_name='__main__')
    return json.loads(Path('metrics.json').read_text())


def test_at_mini_size_by_the_command_line(digits, monkeypatch):
    """Video 0 is in both lists, so its nearest neighbour is itself."""
    figures = run_test(monkeypatch, 'configs/mini/downstream/knn_digits.py', 'test_evaluator.k=1')
    assert set(figures) == {'digit/knn_top1', 'motion/knn_top1', 'feature_spread'}
    stores = sorted((digits / 'work_dirs/features').iterdir())
    figures = run_test(monkeypatch, 'configs/mini/downstream/retrieval_digits.py', 'test_evaluator.topk="[1,4]"')
    assert sorted((digits / 'work_dirs/features').iterdir()) == stores  # the features of k-NN, read again
    moved = digits / 'moved'
    (digits / 'data').rename(moved)
    (moved / 'moving_digits').rename(moved / 'digits')
    named = [f'test_dataloader.dataset.datasets.{part}.root=moved/digits' for part in range(2)]
    assert run_test(monkeypatch, 'configs/mini/downstream/retrieval_digits.py', 'test_evaluator.topk="[1,4]"',
                    *named) == figures
    assert sorted((digits / 'work_dirs/features').iterdir()) == stores
    assert figures['digit/retrieval/R@4'] == 1 and figures['motion/retrieval/R@1'] >= 1 / 3


def test_gallery_list_is_missing(digits, monkeypatch, capsys):
    (digits / 'data/moving_digits/train.txt').unlink()
    with pytest.raises(SystemExit):
        run_test(monkeypatch, 'configs/mini/downstream/knn_digits.py')
    assert 'train.txt' in capsys.readouterr().err.splitlines()[-1]


def test_whole_mini_data_set_is_what_the_configs_expect():
    cfg = Config.fromfile(ROOT / 'configs/mini/downstream/retrieval_digits.py')
    training = Config.fromfile(ROOT / 'configs/mini/iboot_r18_digits.py')
    parts = cfg.test_dataloader.dataset.datasets
    assert parts == training.test_dataloader.dataset.datasets
    assert cfg.model.backbone == {k: v for k, v in training.model.backbone.items() if k != 'norm_eval'}
