"""The distributed wrapper on a CPU."""

import os
import warnings

import pytest
import torch
from mmengine.config import Config
from mmengine.dist import all_gather
from mmengine.runner import Runner
from torch import nn
from torch.testing._internal.distributed.fake_pg import FakeStore

from iboot_mm.engine.model_wrapper import (
    DistributedPretrainer,
    group_bn,
    processes_of_bn,
    synchronises_bn,
    wrap_on_cpu,
)

from ..distributed import run_in_processes
from ..models.pretrainers.test_runs import train
from ..models.pretrainers.toy import build
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
    # Groups of one process each: statistics differ while training, and evaluation scores rank 0's.
    grouped = DistributedPretrainer(nn.BatchNorm1d(2), broadcast_buffers=False, bn_group=1)
    grouped.module.running_mean.fill_(rank)
    grouped.eval()
    assert grouped.module.running_mean.tolist() == [0, 0]
    asked = DistributedPretrainer(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), sync_bn=True)
    asked(torch.randn(4, 2)).sum().backward()


def moco_state(folder, norm, sync_buffers, **changes):
    """A run of MoCo on two processes; its buffers and weights."""
    hooks = [dict(type='SyncBuffersHook')] if sync_buffers else []
    return train(folder, 'moco', norm, hooks=hooks, launcher='pytorch', **changes).model.module.state_dict()


def moco_in_two_processes(rank, world_size, folder):
    # MMAction2's default runtime averages all buffers over the ranks after each epoch.
    plain, averaged = (moco_state(f'{folder}/{name}', 'gn', name == 'averaged') for name in ('plain', 'averaged'))
    assert averaged['queue.pointer'] == 9 * 8 % 20 and averaged['momentum.steps'] == 9
    for key, value in plain.items():
        assert torch.equal(value, averaged[key]), key
    whole = moco_state(f'{folder}/whole', 'bn', True)
    resumed = moco_state(f'{folder}/resumed', 'bn', True, resume=True, load_from=f'{folder}/whole/epoch_2.pth')
    for key, value in whole.items():
        assert torch.equal(value, resumed[key]), key
        everyone = all_gather(value)
        assert torch.equal(everyone[0], everyone[1]), f'ranks differ in {key}'


def gradients_lie_where_they_are_exchanged(rank, world_size):
    exact = nn.Linear(3, 2)
    for param in exact.parameters():
        nn.init.ones_(param)
    exact(torch.arange(6.).view(2, 3)).square().mean().backward()
    for views in (True, False):
        network = nn.Linear(3, 2)
        network.load_state_dict(exact.state_dict())
        wrapped = DistributedPretrainer(network, **dict() if views else dict(gradient_as_bucket_view=False))
        for _ in range(2):  # the second step finds gradients that were set to None
            network.zero_grad()
            wrapped(torch.arange(6.).view(2, 3)[rank::2]).square().mean().backward()
        for param, expected in zip(network.parameters(), exact.parameters()):
            torch.testing.assert_close(param.grad, expected.grad)
        one_bucket = len({param.grad.untyped_storage().data_ptr() for param in network.parameters()}) == 1
        assert one_bucket == views


def two_processes(rank, world_size, folder):
    gradients_lie_where_they_are_exchanged(rank, world_size)
    wrap_with_sync_bn(rank, world_size, f'{folder}/sync_bn')
    moco_in_two_processes(rank, world_size, folder)


@pytest.mark.skipif(torch.cuda.is_available(), reason='for machines without a GPU')
def test_two_processes_on_a_cpu(tmp_path):
    """SyncBN gives way and says so; MoCo's queue, pointer and copy are one for all ranks, also after resuming."""
    (tmp_path / 'sync_bn').mkdir()
    run_in_processes(two_processes, 2, str(tmp_path))
    log = next(tmp_path.glob('sync_bn/*/*.log')).read_text()
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


@pytest.fixture(params=[0, 3])
def rank_of_four(request):
    """One of four processes, the others of which are made up."""
    torch.distributed.init_process_group('fake', store=FakeStore(), rank=request.param, world_size=4)
    yield request.param
    torch.distributed.destroy_process_group()


def test_bn_groups_are_neighbours(rank_of_four):
    net = nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.BatchNorm1d(2)))
    assert processes_of_bn(net) == 4
    group_bn(net, 2)
    members = [torch.distributed.get_process_group_ranks(bn.process_group) for bn in net[1:]]
    assert members == [[0, 1] if rank_of_four == 0 else [2, 3]] * 2
    assert processes_of_bn(net) == 2


@pytest.mark.parametrize('size', [4, 8])
def test_a_group_of_all_is_none(rank_of_four, size):
    net = nn.SyncBatchNorm(2)
    group_bn(net, size)
    assert net.process_group is None and processes_of_bn(net) == 4


@pytest.mark.parametrize('size', [3, 0])
def test_a_group_that_does_not_divide_the_processes(rank_of_four, size):
    with pytest.raises(ValueError, match=f'model_wrapper_cfg.bn_group={size} does not divide the 4 processes: start a '
                                         'multiple of it, or set bn_group=None for BN over all of them'):
        DistributedPretrainer(nn.BatchNorm1d(2), bn_group=size)


def test_processes_of_bn_without_sync_bn():
    assert processes_of_bn(nn.Linear(1, 1)) is None
    assert processes_of_bn(nn.BatchNorm1d(1)) == 1


def test_a_static_graph_is_not_for_several_backward_passes():
    with pytest.raises(ValueError, match='static_graph=True wants one backward pass a step, and VideoBYOL has one for'):
        DistributedPretrainer(build('byol'), static_graph=True)
