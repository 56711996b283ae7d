"""What was learned starts stock MMAction2 models, checked by value."""

from pathlib import Path

import mmaction
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.runner import Runner, save_checkpoint
from torch import Tensor, nn

from .pages import ROOT, snippet

STOCK = Path(mmaction.__file__).parent / '.mim/configs/recognition/slowonly'
STOCK_CONFIG = STOCK / 'slowonly_r50_8xb16-8x8x1-256e_kinetics400-rgb.py'
WIDTH = 4  # base channels: features of width 128


def stock_config(work_dir: Path, **backbone) -> Config:
    """MMAction2's own SlowOnly R50 recognizer, narrowed, with nothing of its training setup."""
    cfg = Config.fromfile(STOCK_CONFIG)
    model = cfg.model
    model.backbone.update(pretrained=None, base_channels=WIDTH, **backbone)
    model.cls_head.in_channels = 32 * WIDTH
    return Config(dict(model=model, work_dir=str(work_dir), default_scope='mmaction', experiment_name=work_dir.name,
                       custom_imports=dict(imports=['iboot_mm']), log_level='ERROR'))


def randomised(network: nn.Module) -> nn.Module:
    """Every parameter and statistic drawn anew, so that no default value can pass for a loaded one."""
    generator = torch.Generator().manual_seed(7)
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + .5)
    return network


@pytest.fixture(scope='module')
def learned(tmp_path_factory) -> dict:
    """A pre-training checkpoint with drawn weights, and the backbone alone as it is published."""
    folder = tmp_path_factory.mktemp('learned')
    model = MODELS.build(dict(
        type='IBoot', feature_dim=32 * WIDTH, teacher=dict(type='PatchMeanTeacher', width=8),
        backbone=dict(type='ResNet3dSlowOnly', depth=50, pretrained=None, lateral=False, conv1_kernel=(1, 7, 7),
                      conv1_stride_t=1, pool1_stride_t=1, inflate=(0, 0, 1, 1), norm_eval=False, base_channels=WIDTH)))
    randomised(model.backbone)
    state = model.state_dict()
    backbone = {key[len('backbone.'):]: value for key, value in state.items() if key.startswith('backbone.')}
    save_checkpoint(dict(meta=dict(epoch=1, iter=2), state_dict=state), str(folder / 'epoch_1.pth'))
    save_checkpoint(dict(meta={}, state_dict=backbone), str(folder / 'backbone.pth'))
    save_checkpoint(dict(meta={}, state_dict={'other.weight': torch.ones(2)}), str(folder / 'other.pth'))
    return dict(folder=folder, checkpoint=str(folder / 'epoch_1.pth'), backbone=str(folder / 'backbone.pth'),
                other=str(folder / 'other.pth'), weights=backbone)


def assert_learned(network: nn.Module, weights: dict[str, Tensor]) -> None:
    state = network.state_dict()
    assert state.keys() == weights.keys()
    for key, value in weights.items():
        torch.testing.assert_close(state[key], value, rtol=0, atol=0, msg=key)


def test_load_from_a_training_checkpoint(learned, tmp_path):
    cfg = stock_config(tmp_path)
    cfg.load_from = learned['checkpoint']
    runner = Runner.from_cfg(cfg)
    runner.load_or_resume()
    assert_learned(runner.model.backbone, learned['weights'])


def test_pretrained_of_the_backbone(learned, tmp_path):
    cfg = stock_config(tmp_path, pretrained2d=False)
    cfg.model.backbone.pretrained = learned['backbone']
    runner = Runner.from_cfg(cfg)
    runner._init_model_weights()
    assert_learned(runner.model.backbone, learned['weights'])


@pytest.mark.parametrize('way', range(3))
def test_each_way_that_the_page_on_weights_shows(learned, tmp_path, way):
    text = snippet(ROOT / 'docs/weights.md', 'custom_imports').replace(
        'work_dirs/iboot_r50_clip_k400/epoch_200.pth', learned['checkpoint']).replace(
        'published/iboot_r50_clip_k400_backbone-<hash>.pth', learned['backbone']).replace(
        'published/iboot_r50_clip_k400-<hash>.pth', learned['checkpoint'])
    shown: dict = {}
    exec(text.split('# or\n')[way], shown)
    cfg = stock_config(tmp_path)
    cfg.model.backbone.update(shown['model']['backbone'])
    cfg.load_from = shown.get('load_from')
    runner = Runner.from_cfg(cfg)
    runner._init_model_weights()
    runner.load_or_resume()
    assert_learned(runner.model.backbone, learned['weights'])


@pytest.mark.parametrize('file, prefix', [('checkpoint', 'backbone.'), ('backbone', '')])
def test_init_cfg_of_the_backbone(learned, tmp_path, file, prefix):
    init_cfg = dict(type='Pretrained', checkpoint=learned[file], **(dict(prefix=prefix) if prefix else {}))
    model = MODELS.build(stock_config(tmp_path, init_cfg=init_cfg).model)
    model.init_weights()
    assert_learned(model.backbone, learned['weights'])


def test_load_from_that_matches_nothing_is_an_error(learned, tmp_path):
    cfg = stock_config(tmp_path)
    cfg.load_from = learned['other']
    with pytest.raises((ValueError, RuntimeError, KeyError), match='other'):
        Runner.from_cfg(cfg).load_or_resume()


def test_load_from_the_backbone_alone_is_told(learned, tmp_path):
    cfg = stock_config(tmp_path)
    cfg.load_from = learned['backbone']
    with pytest.raises(RuntimeError, match='holds the backbone alone, for backbone.pretrained'):
        Runner.from_cfg(cfg).load_or_resume()


def test_pretrained_that_matches_nothing_is_an_error(learned, tmp_path):
    # A training checkpoint's keys start with `backbone.`, a bare backbone's do not: nothing matches.
    model = MODELS.build(stock_config(tmp_path, pretrained2d=False).model)
    model.backbone.pretrained = learned['checkpoint']
    with pytest.raises((ValueError, RuntimeError, KeyError), match='epoch_1.pth'):
        model.init_weights()


def test_init_cfg_that_matches_nothing_is_an_error(learned, tmp_path):
    init_cfg = dict(type='Pretrained', checkpoint=learned['checkpoint'], prefix='encoder.')
    model = MODELS.build(stock_config(tmp_path, init_cfg=init_cfg).model)
    with pytest.raises((ValueError, RuntimeError, KeyError, AssertionError), match='encoder'):
        model.init_weights()
