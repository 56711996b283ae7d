"""The distributed wrapper on a CPU."""

import os
import warnings

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch import nn

from iboot_mm.engine.model_wrapper import DistributedPretrainer, synchronises_bn, wrap_on_cpu

from ..distributed import run_in_processes
from . import toy


def wrap_with_sync_bn(rank, world_size, folder):
    os.chdir(folder)
    # As a config for GPUs says: mmengine converts BN before it wraps the model.
    config = toy.toy_config(folder, model=dict(norm='bn'), sync_bn='torch', launcher='pytorch', log_level='INFO')
    runner = Runner.from_cfg(Config(config))
    assert isinstance(runner.model, DistributedPretrainer) and runner.model.device_ids is None
    assert not any(isinstance(m, nn.SyncBatchNorm) for m in runner.model.modules())
    assert synchronises_bn(runner.model) is False
    runner.train()
    if rank == 0:
        assert {key.split('.')[0] for key in torch.load(f'{folder}/epoch_3.pth')['state_dict']} == {'backbone'}
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # torch 2.13 deprecates broadcast_buffers
        for broadcast in (None, False, True):  # None: plain BN follows rank 0
            wrapped = DistributedPretrainer(nn.BatchNorm1d(2), broadcast_buffers=broadcast)
            wrapped.module.running_mean += rank
            wrapped(torch.zeros(4, 2))
            expected = .9 * (rank if broadcast is False else 0)  # each its own, or rank 0's
            assert wrapped.module.running_mean.tolist() == pytest.approx([expected] * 2)
            wrapped.module.running_mean.fill_(rank)  # as the last step before validation leaves it
            wrapped.eval()
            assert wrapped.module.running_mean.tolist() == [rank if broadcast is False else 0] * 2
    asked = DistributedPretrainer(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), sync_bn=True)
    asked(torch.randn(4, 2)).sum().backward()


@pytest.mark.skipif(torch.cuda.is_available(), reason='for machines without a GPU')
def test_sync_bn_gives_way_on_a_cpu_and_says_so(tmp_path):
    run_in_processes(wrap_with_sync_bn, 2, str(tmp_path))
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert 'SyncBN needs GPUs: on this CPU each process normalises over its own videos' in log


def sync_bn_equals_whole_batch(rank, world_size):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)).cuda()
    single = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)).cuda()
    single.load_state_dict(net.state_dict())
    data = torch.randn(8, 4).cuda()
    wrapped = DistributedPretrainer(net, device_ids=[0], sync_bn=True)
    wrapped(data[rank::world_size]).square().mean().backward()
    single(data).square().mean().backward()
    for a, b in zip(wrapped.module.parameters(), single.parameters()):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='torch has SyncBN for GPUs only')
def test_sync_bn_on_gpus():
    # gloo lets two processes share the one GPU that a test machine has.
    run_in_processes(sync_bn_equals_whole_batch, 2)


def test_synchronises_bn_needs_bn():
    assert synchronises_bn(nn.Linear(1, 1)) is None
    assert synchronises_bn(nn.BatchNorm1d(1)) is False
    frozen = nn.Sequential(nn.BatchNorm1d(1))
    frozen[0].eval()
    assert synchronises_bn(frozen) is None
    assert synchronises_bn(frozen.eval()) is False  # nothing trains, so nothing tells that it is frozen


@pytest.mark.skipif(torch.cuda.is_available(), reason='for machines without a GPU')
@pytest.mark.parametrize('launcher, wrapper, expected', [
    ('pytorch', None, 'DistributedPretrainer'), ('none', None, None), ('pytorch', dict(type='Mine'), 'Mine')])
def test_wrap_on_cpu(launcher, wrapper, expected):
    cfg = Config(dict(launcher=launcher, find_unused_parameters=True))
    if wrapper:
        cfg.model_wrapper_cfg = wrapper
    wrap_on_cpu(cfg)
    assert (cfg.get('model_wrapper_cfg') or {}).get('type') == expected
