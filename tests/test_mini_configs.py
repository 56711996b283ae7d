"""The mini configs build and train a step; the tools that evaluate and report run on what they leave."""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.runner import load_checkpoint

from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.models import JointSpaceEncoder

from .scripts import load_tool

ROOT = Path(__file__).resolve().parents[1]
MINI = ROOT / 'configs' / 'mini'
CONFIGS = [path for path in sorted(MINI.glob('*.py'))  # of the others: test_advise_configs.py, test_vivi_configs.py
           if path.stem.partition('_')[0] not in ('advise', 'vivi')]
YARDSTICKS = dict(byol='rho-BYOL', moco='rho-MoCo', simclr='rho-SimCLR', swav='rho-SwAV')


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    out = tmp_path_factory.mktemp('mini') / 'digits'
    load_tool('data/make_moving_digits').make(out, workers=1, limit=8)
    return out


def config_of(method, data, suffix=''):
    """The method's config of moving digits, on 8 of them and without trained weights of a teacher."""
    cfg = Config.fromfile(MINI / f'{method}_r18_digits{suffix}.py')
    if 'teacher' in cfg.model:
        cfg.model.teacher.pop('checkpoint')
        cfg.model.teacher.pretrained = False
    for dataset in (cfg.train_dataloader.dataset, *cfg.val_dataloader.dataset.datasets):
        dataset.root = str(data)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.num_workers, loader.persistent_workers = 0, False
    return cfg


@pytest.fixture
def digits_config(data):
    return config_of('iboot', data)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_model_and_schedule(path):
    cfg = Config.fromfile(path)
    if 'teacher' in cfg.model:
        cfg.model.teacher.pop('checkpoint', None)
        cfg.model.teacher.update(pretrained=False, model=cfg.model.teacher.model.split('.')[0])
    model = MODELS.build(cfg.model)
    assert model.feature_dim == model.backbone.layer4[-1].conv2.conv.out_channels
    assert cfg.param_scheduler[-1].end == cfg.train_cfg.max_epochs
    assert cfg.train_cfg.global_batch == cfg.auto_scale_lr.base_batch_size
    assert [d.role for d in cfg.val_dataloader.dataset.datasets] == ['gallery', 'query']
    assert 'randomness' not in cfg


@pytest.mark.parametrize('method', YARDSTICKS)
def test_of_iboots_config_only_the_method_differs(method):
    ours, theirs = (Config.fromfile(MINI / f'{name}_r18_digits.py').to_dict() for name in ('iboot', method))
    for name in ('backbone', 'feature_dim', 'data_preprocessor'):
        assert theirs['model'].pop(name) == ours['model'].pop(name)
    assert not {'teacher', 'target_norm', 'temporal_pool'} & theirs.pop('model').keys() and ours.pop('model')
    hooks = [hook for hook in theirs.pop('custom_hooks') if hook not in ours['custom_hooks']]
    assert hooks == dict(byol=[dict(type='MomentumUpdateHook')], moco=[dict(type='MomentumUpdateHook')], simclr=[],
                         swav=[dict(type='FreezePrototypesHook')])[method] and ours.pop('custom_hooks')
    for cfg in (ours, theirs):
        assert cfg['train_dataloader']['dataset']['pipeline'] == cfg['train_pipeline']
    assert (ours['train_pipeline'][1].pop('num_views'), theirs['train_pipeline'][1].pop('num_views')) == (3, 2)
    for cfg in (ours, theirs):
        cfg['train_dataloader']['dataset']['pipeline'] = cfg['train_pipeline']
    assert theirs == ours


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
    (tmp_path / 'elsewhere').mkdir()
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'elsewhere' / 'twin.pth')
    monkeypatch.setattr(sys, 'argv', ['knn_table', str(tmp_path / 'config.py'), str(tmp_path / 'epoch_1.pth'), '--out',
                                      str(tmp_path), '--queries', '2', '--also', 'twin', str(tmp_path / 'config.py'),
                                      str(tmp_path / 'elsewhere' / 'twin.pth')])
    load_tool('analysis/knn_table').main()
    assert 'iBoot' in capsys.readouterr().out
    results = json.loads((tmp_path / 'knn_table.json').read_text())
    table = (tmp_path / 'knn_table.txt').read_text()
    assert table.startswith(f"{results['counts']['query']} queries in a gallery of ") and 'chance' in table
    assert list(results['table']) == ['chance', 'raw pixels', 'random network', 'twin', 'teacher', 'iBoot']
    assert results['table']['twin'] == results['table']['iBoot']
    assert set(results['table']['iBoot']) == {'digit', 'motion'} and len(results['neighbors']) == 2
    monkeypatch.setattr(sys, 'argv', ['report', str(tmp_path), '--config', str(tmp_path / 'config.py')])
    load_tool('analysis/report').main()
    page = (tmp_path / 'report.html').read_text()
    assert page.count('data:image/webp') == 2 * 7 and '<td>' in page


def train_here(cfg, work_dir, monkeypatch):
    """One epoch through tools/train.py, in this process; returns the folder, with config and checkpoint."""
    cfg.train_cfg.update(max_epochs=1, val_interval=1, global_batch=4)
    cfg.param_scheduler = [cfg.param_scheduler[-1]]
    cfg.param_scheduler[0].update(begin=0, end=1)
    cfg.val_evaluator.k = 5  # of 8 videos
    cfg.dump(work_dir.with_suffix('.py'))
    monkeypatch.setattr(sys, 'argv', ['train.py', str(work_dir.with_suffix('.py')), '--work-dir', str(work_dir)])
    runpy.run_path(str(ROOT / 'tools' / 'train.py'), run_name='__main__')
    return work_dir


@pytest.mark.parametrize('method', YARDSTICKS)
def test_an_epoch_then_the_table(method, data, tmp_path, monkeypatch, capsys):
    """rho-BYOL gets a row in a table of its own and in rho-SwAV's; the report is made without any teacher."""
    folder = train_here(config_of(method, data), tmp_path / method, monkeypatch)
    checkpoint = torch.load(folder / 'epoch_1.pth')
    assert checkpoint['meta']['iter'] == 2 and not any('teacher' in key for key in checkpoint['state_dict'])
    losses = checkpoint['message_hub']['log_scalars']['train/loss'].data[0]
    assert len(losses) == 2 and all(0 < loss < 20 for loss in losses)
    if method in ('byol', 'moco'):
        state = checkpoint['state_dict']
        assert state['momentum.steps'] == 2
        key = 'layer1.0.conv1.conv.weight'
        assert not torch.equal(state[f'backbone.{key}'], state[f'momentum.network.backbone.{key}'])
    if method in ('byol', 'swav'):
        files = [folder.with_suffix('.py'), folder / 'epoch_1.pth']
        also = ['--also', 'the other', *files] if method == 'swav' else []
        monkeypatch.setattr(sys, 'argv', ['knn_table', *map(str, [*files, '--out', folder, '--queries', 2, *also])])
        load_tool('analysis/knn_table').main()
        results = json.loads((folder / 'knn_table.json').read_text())
        rows = ['chance', 'raw pixels', 'random network', *also[1:2], YARDSTICKS[method]]
        assert list(results['table']) == rows and results['teachers'] == []
        assert not also or results['table']['the other'] == results['table'][rows[-1]]
        monkeypatch.setattr(sys, 'argv', ['report', str(folder)])
        load_tool('analysis/report').main()
        page = (folder / 'report.html').read_text()
        assert f'Method: {YARDSTICKS[method]}, without a teacher' in page and 'the teacher' not in page
        assert 'learned from videos alone' in page and (not also or '<!-- digit, the other -->' in page)


def test_targets_are_written_then_trained_from(data, tmp_path, monkeypatch):
    """The checkpoint is published and serves zero-shot as one of a training with the teacher does."""
    cached, writer = config_of('iboot', data, '_cached'), Config.fromfile(MINI / 'targets' / 'digits.py')
    writer.model.teacher = cached.model.teacher
    writer.test_dataloader.update(num_workers=0, persistent_workers=False)
    writer.test_dataloader.dataset.root = str(data)
    writer.test_cfg.store = cached.train_dataloader.dataset.pipeline[2].store = str(tmp_path / 'store')
    writer.dump(tmp_path / 'writer.py')
    monkeypatch.setattr(sys, 'argv', ['test.py', str(tmp_path / 'writer.py'), 'none', '--work-dir', str(tmp_path)])
    runpy.run_path(str(ROOT / 'tools' / 'test.py'), run_name='__main__')
    folder = train_here(cached, tmp_path / 'run', monkeypatch)
    checkpoint, config = folder / 'epoch_1.pth', folder.with_suffix('.py')
    state = torch.load(checkpoint)['state_dict']
    live = MODELS.build(config_of('iboot', data).model)
    live.load_state_dict(state, strict=True)
    assert state['target_norms.0.count'] == 2 and state['projectors.0.weight'].shape == (96, 128)
    _, whole = load_tool('convert/publish').publish(checkpoint, tmp_path / 'published', config)
    info = describe_checkpoint(whole)
    teacher = live.teachers[0].identity()
    assert {key: info.teachers[0][key] for key in ('model', 'output', 'width')} == dict(
        model=teacher['model'], output='embedding', width=96)
    encoder = JointSpaceEncoder(info.backbone, info.feature_dim, 96, target_norm=info.target_norm).eval()
    load_checkpoint(encoder, str(whole))
    torch.testing.assert_close(encoder.projectors['0'].weight, live.projectors[0].weight)
    assert encoder(torch.rand(1, 1, 3, 8, 48, 48)).isfinite().all()
