"""The examples of CONTRIBUTING.md run as they stand."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from torch import nn

TEXT = (Path(__file__).resolve().parents[1] / 'CONTRIBUTING.md').read_text()


@pytest.fixture
def example(request, tmp_path, monkeypatch) -> Config:
    """Writes an example's module and reads its config, which imports the module by name."""
    name = request.param
    section = TEXT[TEXT.index(f'`{name}.py`'):]
    module, config = re.findall(r'```python\n(.*?)```', section, re.S)[:2]
    (tmp_path / f'{name}.py').write_text(module)
    (tmp_path / 'config.py').write_text(config)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    init_default_scope('mmaction')
    cfg = Config.fromfile('config.py')
    assert cfg.custom_imports.imports == ['iboot_mm', name]
    return cfg


@pytest.mark.parametrize('example', ['my_method'], indirect=True)
def test_method(example):
    torch.manual_seed(0)
    example.model.backbone.base_channels, example.model.feature_dim = 8, 64
    model = MODELS.build(example.model).train()
    losses = model(torch.rand(2, 2, 3, 4, 32, 32), mode='loss')
    assert 0 <= losses['loss'].item() <= 4 and 0 <= losses['spread_student'].item() <= 1
    losses['loss'].backward()
    assert all(p.grad is not None for p in model.backbone.parameters())
    assert any(key.startswith('backbone.') for key in model.state_dict())


@pytest.mark.parametrize('example', ['my_teacher'], indirect=True)
def test_teacher(example):
    network = torchvision.models.resnet18()
    torch.save(network.state_dict(), example.teacher.checkpoint)
    teacher = MODELS.build(example.teacher)
    clips = torch.rand(1, 3, 2, 224, 224)
    network.fc = nn.Identity()
    mean, std = (torch.tensor(value).view(3, 1, 1, 1) for value in ((.485, .456, .406), (.229, .224, .225)))
    with torch.no_grad():
        expected = network.eval()(((clips - mean) / std)[0].transpose(0, 1))  # (T, D)
    torch.testing.assert_close(teacher(clips)[0], expected)
    assert teacher.width == 512 and teacher.identity()['checkpoint'] == 'resnet18-f37072fd.pth'


@pytest.mark.parametrize('example', ['my_decoder'], indirect=True)
def test_decoder(example):
    Path('videos').mkdir()
    frames = np.arange(20, dtype=np.uint8)[:, None, None, None].repeat(48, 1).repeat(64, 2).repeat(3, 3)
    np.save('videos/a.npy', frames)
    Path('videos/b.npy').write_text('no array')
    dataset = DATASETS.build(example.dataset)
    first, second = dataset[0], dataset[1]
    numbers = first['inputs'][:, 0, :, 0, 0]  # (V, T): each frame's colour is its number
    assert first['inputs'].shape == (3, 3, 4, 32, 32)
    assert (numbers.diff(dim=1) == 2).all()
    assert second['data_samples'].replaced and second['data_samples'].unreadable[0][0] == 'videos/b.npy'
    assert len(pseudo_collate([first, second])['inputs']) == 2
