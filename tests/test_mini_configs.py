"""The mini configs build and train a step; the tools that evaluate and report run on what they leave."""

import json
import sys
from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from .scripts import load_tool

ROOT = Path(__file__).resolve().parents[1]
MINI = ROOT / 'configs' / 'mini'
CONFIGS = sorted(MINI.glob('*.py'))


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    out = tmp_path_factory.mktemp('mini') / 'digits'
    load_tool('data/make_moving_digits').make(out, workers=1, limit=8)
    return out


@pytest.fixture
def digits_config(data):
    cfg = Config.fromfile(MINI / 'iboot_r18_digits.py')
    cfg.model.teacher.pop('checkpoint')
    cfg.model.teacher.pretrained = False
    for dataset in (cfg.train_dataloader.dataset, *cfg.val_dataloader.dataset.datasets):
        dataset.root = str(data)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.num_workers, loader.persistent_workers = 0, False
    return cfg


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_model_and_schedule(path):
    cfg = Config.fromfile(path)
    cfg.model.teacher.pop('checkpoint', None)
    cfg.model.teacher.update(pretrained=False, model=cfg.model.teacher.model.split('.')[0])
    model = MODELS.build(cfg.model)
    assert model.feature_dim == model.backbone.layer4[-1].conv2.conv.out_channels
    assert cfg.param_scheduler[-1].end == cfg.train_cfg.max_epochs
    assert cfg.train_cfg.global_batch == cfg.auto_scale_lr.base_batch_size
    assert [d.role for d in cfg.val_dataloader.dataset.datasets] == ['gallery', 'query']
    assert 'randomness' not in cfg


def test_a_batch_goes_through(digits_config):
    dataset = DATASETS.build(digits_config.train_dataloader.dataset)
    model = MODELS.build(digits_config.model).train()
    batch = model.data_preprocessor(pseudo_collate([dataset[0], dataset[1]]), training=True)
    assert batch['inputs'].shape == (2, 3, 3, 8, 48, 48)
    losses = model(**batch, mode='loss')
    losses['loss_digits'].backward()
    assert all(p.grad is not None for p in model.backbone.parameters())


def test_table_and_report_from_a_checkpoint(digits_config, tmp_path, monkeypatch, capsys):
    torch.manual_seed(0)
    digits_config.val_evaluator.k = 5  # of 8 videos
    model = MODELS.build(digits_config.model)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'epoch_1.pth')
    digits_config.dump(tmp_path / 'config.py')
    log = tmp_path / '20200101_000000' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text('{"loss": 1.0, "lr": 0.1, "epoch": 1, "iter": 20, "step": 20}\n')
    monkeypatch.setattr(sys, 'argv', ['knn_table', str(tmp_path / 'config.py'), str(tmp_path / 'epoch_1.pth'), '--out',
                                      str(tmp_path), '--queries', '2'])
    load_tool('analysis/knn_table').main()
    assert 'iBoot' in capsys.readouterr().out
    results = json.loads((tmp_path / 'knn_table.json').read_text())
    table = (tmp_path / 'knn_table.txt').read_text()
    assert table.startswith(f"{results['counts']['query']} queries in a gallery of ") and 'chance' in table
    assert list(results['table']) == ['chance', 'raw pixels', 'random network', 'teacher', 'iBoot']
    assert set(results['table']['iBoot']) == {'digit', 'motion'} and len(results['neighbors']) == 2
    monkeypatch.setattr(sys, 'argv', ['report', str(tmp_path), '--config', str(tmp_path / 'config.py')])
    load_tool('analysis/report').main()
    page = (tmp_path / 'report.html').read_text()
    assert page.count('data:image/webp') == 2 * 7 and '<td>' in page
