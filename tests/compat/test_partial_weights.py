"""A backbone is filled completely or loading stops, whichever way the weights come; a head may be another."""

import re

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.model import BaseTTAModel
from mmengine.runner import Runner, load_checkpoint
from torch import Tensor, nn

from ..pages import ROOT
from ..test_handover import STOCK_CONFIG


def recognizer(depth: int = 18, classes: int = 3, width: int = 8, kind: str = 'ResNet3dSlowOnly', **backbone) -> dict:
    """MMAction2's own Slow recognizer, narrowed."""
    head = dict(type='I3DHead', in_channels=8 * width * (1 if depth < 50 else 4), num_classes=classes)
    return dict(type='Recognizer3D', cls_head=head,
                backbone=dict(type=kind, depth=depth, base_channels=width, lateral=False, **backbone))


def weights_of(config: dict) -> dict[str, Tensor]:
    state = MODELS.build(config).state_dict()
    return {key: torch.rand_like(value) if value.is_floating_point() else value for key, value in state.items()}


def bare(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix('backbone.'): value for key, value in state.items() if key.startswith('backbone.')}


def run(path, resume: bool) -> nn.Module:
    runner = Runner.from_cfg(Config(dict(
        model=recognizer(), work_dir=str(path.parent), default_scope='mmaction', load_from=str(path), resume=resume,
        experiment_name=path.parent.name, log_level='ERROR')))
    runner.load_or_resume()
    return runner.model


def initialised(config: dict) -> nn.Module:
    model = MODELS.build(config)
    model.init_weights()
    return model


def loaded(path) -> nn.Module:
    model = MODELS.build(recognizer())
    load_checkpoint(model, str(path))
    return model


def init_cfg(path, **prefix) -> dict:
    return dict(init_cfg=dict(type='Pretrained', checkpoint=str(path), **prefix))


LOADERS = dict(
    load_from=lambda path: run(path, resume=False), resume=lambda path: run(path, resume=True), load_checkpoint=loaded,
    init_cfg_of_the_backbone=lambda path: initialised(recognizer(**init_cfg(path, prefix='backbone.'))),
    bare_init_cfg=lambda path: initialised(recognizer(**init_cfg(path))),
    pretrained=lambda path: initialised(recognizer(pretrained=str(path), pretrained2d=False)))
BARE = ('bare_init_cfg', 'pretrained')
KEY = 'backbone.layer2.1.conv1.conv.weight'
MISFITS = dict(
    another_inflation=(lambda: weights_of(recognizer(inflate=(0, 1, 1, 1))),
                       r'layer2.0.conv1.conv.weight is \(16, 8, 3, 3, 3\) in the file and \(16, 8, 1, 3, 3\) in'),
    a_weight_missing=(lambda: {key: value for key, value in weights_of(recognizer()).items() if key != KEY},
                      r'layer2.1.conv1.conv.weight is nothing in the file and \(16, 16, 1, 3, 3\) in the network: '),
    a_shallower_file=(lambda: weights_of(recognizer(10)), r'layer1.1.conv1.conv.weight is nothing in the file'),
    a_wider_file=(lambda: weights_of(recognizer(width=16)) | {KEY: torch.rand(16, 16, 1, 3, 3)},
                  r'conv1.conv.weight is \(16, 3, 1, 7, 7\) in the file and \(8, 3, 1, 7, 7\) in the network'))


@pytest.fixture(autouse=True)
def shallower(monkeypatch):
    kind = MODELS.get('ResNet3dSlowOnly')
    block = kind.arch_settings[18][0]
    monkeypatch.setattr(kind, 'arch_settings', {10: (block, (1, 1, 1, 1)), **kind.arch_settings})


@pytest.mark.parametrize('loader', LOADERS)
@pytest.mark.parametrize('misfit', MISFITS)
def test_a_backbone_that_is_not_filled_is_an_error(tmp_path, loader, misfit):
    make, message = MISFITS[misfit]
    path = tmp_path / 'given.pth'
    torch.save(bare(make()) if loader in BARE else dict(meta=dict(), state_dict=make()), path)
    with pytest.raises((RuntimeError, ValueError), match=r'given\.pth does not fit the backbone .*' + message) as told:
        LOADERS[loader](path)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize('loader', ['load_from', 'load_checkpoint', 'init_cfg_of_the_backbone'])
def test_a_head_may_be_another_or_absent(tmp_path, loader):
    state = weights_of(recognizer(classes=7))
    uncounted = {key: value for key, value in state.items() if 'num_batches' not in key}
    headless = {key: value for key, value in state.items() if key.startswith('backbone.')}
    for number, given in enumerate((uncounted, headless, {**headless, 'projectors.0.weight': torch.rand(2, 2)})):
        path = tmp_path / f'{number}.pth'
        torch.save(given, path)
        backbone = LOADERS[loader](path).backbone.state_dict()
        assert all(torch.equal(backbone[key], value) for key, value in bare(given).items())


def test_a_deeper_file_is_no_file_of_a_shallower_network(tmp_path):
    torch.save(weights_of(recognizer(18)), tmp_path / 'deeper.pth')
    with pytest.raises(RuntimeError, match=r'layer1.1.conv1.conv.weight is \(8, 8, 1, 3, 3\) in the file and nothing'):
        load_checkpoint(MODELS.build(recognizer(10)), str(tmp_path / 'deeper.pth'))


class Adapting(nn.Module):
    """A recognizer whose backbone resizes its position embeddings as it loads them."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.backbone = nn.Module()
        self.backbone.embedding = nn.Parameter(torch.zeros(length))
        self.scale = nn.Parameter(torch.zeros(1))
        self.backbone.register_buffer('index', torch.arange(length))  # as of Swin, not in each file
        self.backbone.register_load_state_dict_pre_hook(self._resize)

    @staticmethod
    def _resize(module, state_dict, prefix, *args) -> None:
        state_dict[prefix + 'embedding'] = state_dict[prefix + 'embedding'][:len(module.embedding)]
        state_dict[prefix + 'index'] = module.index


def test_a_network_that_adapts_what_it_loads(tmp_path):
    torch.save({'backbone.embedding': torch.ones(6)}, tmp_path / 'longer.pth')
    model = Adapting(4)
    with pytest.raises(RuntimeError, match='none of its 1 weights fits'):
        load_checkpoint(model, str(tmp_path / 'longer.pth'))
    torch.save({'backbone.embedding': torch.ones(6), 'scale': torch.ones(1)}, tmp_path / 'longer.pth')
    load_checkpoint(model, str(tmp_path / 'longer.pth'))
    assert (model.backbone.embedding == 1).all()


def test_a_test_time_augmented_recognizer_loads(tmp_path):
    state = weights_of(recognizer())
    torch.save(state, tmp_path / 'given.pth')
    model = type('TTA', (BaseTTAModel, ), dict(merge_preds=None))(recognizer())
    load_checkpoint(model, str(tmp_path / 'given.pth'))
    assert torch.equal(model.module.backbone.conv1.conv.weight, state['backbone.conv1.conv.weight'])


def in_a_stock_config(folder, backbone: str, width: int = 4) -> nn.Module:
    """MMAction2's own recognizer with a line of ours, narrowed, and filled with `ours.pth`."""
    (folder / 'stock.py').write_text(f'_base_ = {str(STOCK_CONFIG)!r}\nmodel = dict({backbone})\n')
    model = Config.fromfile(folder / 'stock.py').model
    model.backbone.update(base_channels=width)
    model.cls_head.in_channels = 1  # new in any case
    network = MODELS.build(model)
    load_checkpoint(network, str(folder / 'ours.pth'))
    return network


@pytest.mark.parametrize('depth', [18, 101])
def test_the_page_s_backbone_in_a_stock_config(tmp_path, depth):
    ours = weights_of(recognizer(depth, width=4, kind='SlowResNet'))
    torch.save(dict(meta=dict(), state_dict=ours), tmp_path / 'ours.pth')
    page = (ROOT / 'docs/weights.md').read_text()
    line = re.search(r'`(backbone=dict\([^`]*SlowResNet[^`]*\))`', page)[1].replace('...', str(depth))
    backbone = in_a_stock_config(tmp_path, line).backbone
    assert backbone.pretrained is None  # the base config names an image network
    assert all(torch.equal(value, ours[f'backbone.{key}']) for key, value in backbone.state_dict().items())


def test_what_a_stock_config_says_of_its_own_backbone_is_no_silence(tmp_path):
    """Its `inflate=(0, 0, 1, 1)` makes another R101 of ours, of which 17 weights would stay random."""
    torch.save(weights_of(recognizer(101, width=4, kind='SlowResNet')), tmp_path / 'ours.pth')
    with pytest.raises(RuntimeError, match=r'ours\.pth .*\(16 others do not fit either\): .*_delete_=True'):
        in_a_stock_config(tmp_path, "backbone=dict(type='SlowResNet', depth=101)")
