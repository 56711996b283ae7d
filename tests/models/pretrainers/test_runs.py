"""The four methods in mmengine's runner: what resuming changes, nothing, and what a checkpoint is good for."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.runner import Runner, load_checkpoint

from ...engine.toy import toy_config
from . import toy

HOOKS = dict(byol='MomentumUpdateHook', moco='MomentumUpdateHook', swav='FreezePrototypesHook')


def train(folder, method, norm='bn', hooks=(), **changes):
    """Three epochs of three steps."""
    hooks = [*hooks, *([dict(type=HOOKS[method])] if method in HOOKS else [])]
    config = toy_config(folder, model=toy.method_config(method, norm), randomness=dict(seed=1), **{**dict(
        train_dataloader=dict(dataset=dict(type='ToyClips')), custom_hooks=hooks,
        custom_imports=dict(imports=['iboot_mm', 'tests.models.pretrainers.toy']),
        optim_wrapper=dict(optimizer=dict(type='LARS', lr=.1, trust=.1, weight_decay=1e-4))), **changes})
    runner = Runner.from_cfg(Config(config))
    runner.train()
    return runner


@pytest.fixture(scope='module', params=toy.METHODS)
def whole(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, train(folder, request.param), folder


def test_a_resumed_run_is_bit_for_bit_the_run_never_stopped(whole, tmp_path):
    method, runner, folder = whole
    resumed = train(tmp_path, method, load_from=str(folder / 'epoch_2.pth'), resume=True)
    for key, value in runner.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[key]), key
    before = torch.load(folder / 'epoch_2.pth')['state_dict']
    assert all(not torch.equal(value, before[key]) for key, value in runner.model.state_dict().items()
               if key.endswith('weight') or key.startswith(('queue', 'momentum')) and 'bias' not in key)


def test_momentum_and_queue_have_gone_their_way(whole):
    method, runner, folder = whole
    if method in ('byol', 'moco'):
        assert runner.model.momentum.steps == 9
        assert torch.load(folder / 'epoch_2.pth')['state_dict']['momentum.steps'] == 6
    if method == 'moco':
        assert runner.model.queue.pointer == 9 * 8 % 20


def test_checkpoint_loads_into_encoder_and_stock_recognizer(whole):
    method, runner, folder = whole
    backbone = dict(type='ToyBackbone', norm='bn')
    encoder = MODELS.build(dict(type='VideoEncoder', backbone=backbone))
    stock = MODELS.build(dict(type='Recognizer3D', backbone=backbone, cls_head=dict(
        type='I3DHead', num_classes=2, in_channels=toy.WIDTH)))
    for model in (encoder, stock):
        load_checkpoint(model, str(folder / 'epoch_3.pth'), map_location='cpu')
        for key, value in runner.model.backbone.state_dict().items():
            assert torch.equal(model.backbone.state_dict()[key], value)
    views = toy.views(runner.model)
    runner.model.eval()
    assert torch.equal(encoder.eval()(views), runner.model(views))


def test_a_run_without_its_hook_ends_at_once(tmp_path):
    with pytest.raises(RuntimeError, match='the momentum copy is never updated: add'):
        train(tmp_path, 'byol', custom_hooks=[])
