"""Configs of linear classifiers on stored features, order sensitivity and zero-shot, at both sizes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, METRICS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from iboot_mm.evaluation.metrics import zero_shot

from .test_feature_configs import digits, run_test  # noqa: F401  (a fixture)

ROOT = Path(__file__).resolve().parents[1]
MINI = 'configs/mini/downstream/{}_digits.py'


def load(name: str) -> Config:
    cfg = Config.fromfile(ROOT / f'configs/downstream/{name}.py')
    init_default_scope(cfg.default_scope)
    return cfg


def test_linear_reads_the_features_of_knn():
    linear, knn = load('linear_fast_k400'), load('knn_k400')
    assert (linear.model, linear.test_dataloader, linear.test_cfg) == (knn.model, knn.test_dataloader, knn.test_cfg)
    metric = METRICS.build(linear.test_evaluator)
    assert metric.training == dict(epochs=100, batch_size=64, momentum=.9, standardize=True) and metric.holdout == .1


@pytest.mark.parametrize('name, knn', [('order_ucf101', 'retrieval_ucf101'), ('order_ssv2', None)])
def test_order_changes_the_queries_alone(name, knn):
    cfg = load(name)
    gallery, query = cfg.test_dataloader.dataset.datasets
    assert [step['type'] for step in query.pipeline] == [
        'OpenVideo', 'SampleViews', 'DecodeViews', 'CropViews', 'ReorderFrames', 'PackViews']
    assert [step for step in query.pipeline if step['type'] != 'ReorderFrames'] == gallery.pipeline
    assert (gallery.role, query.role) == ('gallery', 'query')
    if knn is None:
        assert gallery.pipeline[1].sampling == 'segments'
    else:
        assert gallery == load(knn).test_dataloader.dataset.datasets[0]  # its features are read again
    metric = METRICS.build(cfg.test_evaluator)
    assert (metric.k, metric.temperature) == (20, .07)


@pytest.mark.parametrize('data, folder', [('k400', 'kinetics400'), ('ucf101', 'ucf101'), ('hmdb51', 'hmdb51')])
def test_zero_shot_fits_the_headline_student_and_its_teacher(data, folder, monkeypatch):
    cfg, trained = load(f'zero_shot_{data}'), Config.fromfile(ROOT / 'configs/iboot_r50_clip_k400.py')
    teacher = trained.model.teacher
    assert cfg.test_evaluator.text == dict(type='OpenCLIPText', model=teacher.model, pretrained=teacher.pretrained)
    assert teacher.get('output', 'embedding') == 'embedding'
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    assert model.projectors['0'].weight.shape == (512, trained.model.feature_dim)
    assert (cfg.model.target_norm, cfg.model.temporal_pool) == ('none', trained.model.temporal_pool)
    (query, ) = cfg.test_dataloader.dataset.datasets
    assert query.role == 'query' and 'val' in query.ann_file and query.ann_file.startswith(f'data/{folder}/')
    asked = []
    monkeypatch.setattr(zero_shot, 'read_names', lambda path: asked.append(path) or ['a'])
    monkeypatch.setattr(MODELS, 'build', lambda config: config)
    METRICS.build(cfg.test_evaluator)
    assert asked == [f'data/{folder}/label_map.txt']


@pytest.fixture
def student(digits):  # noqa: F811
    """Weights with W for the fixture's network, and vectors of ten classes."""
    cfg = Config.fromfile(ROOT / MINI.format('zero_shot'))
    torch.manual_seed(0)
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), 'weights.pth')
    (digits / 'data/digit_teacher').mkdir()
    np.save(digits / 'data/digit_teacher/classes.npy', np.random.default_rng(0).standard_normal((10, 96)))
    return digits


def test_at_mini_size_by_the_command_line(student, monkeypatch):
    figures = run_test(monkeypatch, MINI.format('linear_fast'), 'test_evaluator.epochs=2',
                       'test_dataloader.dataset.datasets.1.pipeline.1.num_views=2')  # of the queries alone
    assert {'digit/linear/top1', 'motion/linear/top5', 'digit/linear/lr'} < set(figures)
    stores = len(list((student / 'work_dirs/features').iterdir()))
    figures = run_test(monkeypatch, MINI.format('order'), 'test_evaluator.k=1')
    assert len(list((student / 'work_dirs/features').iterdir())) == stores + 1  # the gallery's are read again
    assert figures['order/change_forward'] < 1e-6 < figures['order/change_frozen']
    assert figures['digit/order/knn_top1_forward'] >= 1 / 3  # video 0 finds itself
    figures = run_test(monkeypatch, MINI.format('zero_shot'))
    assert set(figures) == {'digit/zero_shot/top1', 'digit/zero_shot/top5'}


def test_mini_zero_shot_fits_the_mini_student(student):
    cfg, trained = (Config.fromfile(ROOT / f'configs/mini/{name}.py')
                    for name in ('downstream/zero_shot_digits', 'iboot_r18_digits'))
    assert (cfg.model.feature_dim, cfg.model.target_norm) == (trained.model.feature_dim, trained.model.target_norm)
    assert DATASETS.build(cfg.test_dataloader.dataset)[0]['inputs'].shape == (1, 3, 8, 48, 48)
