"""BN of several views in one pass against a pass for each view, and SyncBN's against plain BN on all ranks' clips."""

import copy
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from iboot_mm.models.modules.batch_norm import SyncBatchNorm, separate_views, without_waits

from ..pretrainers import toy

AXES = (0, 2, 3, 4)


def network(norm=nn.BatchNorm3d):
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv3d(3, 4, 1), norm(4), nn.ReLU(), nn.Conv3d(4, 5, 1), norm(5))
    for module in layers:
        if isinstance(module, norm):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return layers


def clips(views=3, videos=4):
    torch.manual_seed(1)
    return [scale * torch.randn(videos, 3, 2, 4, 4) + scale for scale in range(1, views + 1)]


def assert_equal(one, other, **tolerance):
    for (key, a), b in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, msg=lambda text, key=key: f'{key}: {text}', **tolerance)
    for (key, a), b in zip(one.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-4, msg=lambda text, key=key: f'{key}: {text}')


@pytest.mark.parametrize('momentum', [.1, None])
def test_one_pass_equals_a_pass_for_each_view(momentum):
    one, each, views = network(), network(), clips()
    one[1].momentum = each[1].momentum = momentum
    with separate_views(one, 3):
        outputs = one(torch.cat(views))
    expected = torch.cat([each(view) for view in views])
    torch.testing.assert_close(outputs, expected)
    weights = torch.randn(outputs.shape)
    (weights * outputs).sum().backward()
    (weights * expected).sum().backward()
    assert_equal(one, each)
    assert one[1].num_batches_tracked == 3
    assert (one(torch.cat(views)) - expected).abs().max() > .1, 'outside, all clips are one batch again'


def test_what_does_not_normalise_by_the_batch_is_left_alone():
    net = network().eval()
    views = torch.cat(clips())
    with separate_views(net, 3):
        assert torch.equal(net(views), net(views)) and net[1].num_batches_tracked == 0
        assert 'forward' not in vars(net[1])


def test_compiled_code_knows_inside_from_outside():
    compiled, plain, graphs = network(), network(), []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    compiled.compile(backend=backend)
    views = torch.cat(clips(2))
    for num_views in (2, 0, 2, 0):
        outputs = []
        for net in (compiled, plain):
            with separate_views(net if num_views else nn.Identity(), num_views):
                outputs.append(net(views))
        assert torch.equal(*outputs)
    assert len(graphs) == 2


class Ranks:
    """Threads that exchange tensors as two processes do."""

    def __init__(self):
        self.barrier, self.slots, self.thread, self.calls = threading.Barrier(2), {}, threading.local(), Counter()

    def exchange(self, tensor):
        self.slots[self.thread.rank] = tensor.clone()
        self.barrier.wait()
        both = [self.slots[rank] for rank in range(2)]
        self.barrier.wait()
        return both

    def all_gather(self, output, tensor, group):
        self.calls['gather', self.thread.rank] += 1
        output.copy_(torch.cat(self.exchange(tensor)))

    def all_reduce(self, tensor, group):
        self.calls['reduce', self.thread.rank] += 1
        tensor.copy_(sum(self.exchange(tensor)))

    def run(self, function):
        def start(rank):
            self.thread.rank = rank
            return function(rank)

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(start, range(2)))


def along(vector):
    return vector.view(-1, 1, 1, 1)


def gather_statistics(inputs, means, scales, running_mean, running_var, momentum, eps, counts):
    total = counts.sum()
    mean = (counts[:, None] * means).sum(0) / total
    variance = (counts[:, None] * (scales**-2 - eps + (means - mean)**2)).sum(0) / total
    running_mean.lerp_(mean, momentum)
    running_var.lerp_(variance * total / (total - 1), momentum)
    return mean, (variance + eps).rsqrt()


def reduce_gradients(gradient, inputs, mean, scale, weight, *wanted):
    centred = (gradient * (inputs - along(mean))).sum(AXES)
    return gradient.sum(AXES), centred, centred * scale, gradient.sum(AXES)


def input_gradient(gradient, inputs, mean, scale, weight, total, centred, counts):
    count = counts.sum()
    centred = along(centred / count * scale**2)
    return (gradient - along(total / count) - (inputs - along(mean)) * centred) * along(scale * weight)


# torch has these for GPUs only.
KERNELS = dict(
    batch_norm_stats=lambda inputs, eps: (inputs.mean(AXES), (inputs.var(AXES, correction=0) + eps).rsqrt()),
    batch_norm_gather_stats_with_counts=gather_statistics,
    batch_norm_elemt=lambda inputs, weight, bias, mean, scale, eps, out: out.copy_(
        (inputs - along(mean)) * along(scale * weight) + along(bias)),
    batch_norm_backward_reduce=reduce_gradients, batch_norm_backward_elemt=input_gradient)


@pytest.mark.parametrize('num_views, first', [(3, 2), (3, 1), (1, 3)])
def test_synchronised_views_are_normalised_over_all_ranks_with_one_exchange(num_views, first, monkeypatch):
    ranks, views = Ranks(), clips(num_views)
    nets = [network(nn.SyncBatchNorm) for _ in range(2)]
    for net in nets:
        without_waits(net)
        assert type(net[1]) is SyncBatchNorm
    for name, kernel in KERNELS.items():
        monkeypatch.setattr(torch, name, kernel)
    for name, value in dict(is_initialized=lambda: True, get_world_size=lambda group=None: 2,
                            all_gather_single=ranks.all_gather, all_reduce=ranks.all_reduce).items():
        monkeypatch.setattr(torch.distributed, name, value, raising=False)
    weights = torch.randn(num_views, 4, 5, 2, 4, 4)

    def train(rank):
        net, mine = nets[rank], slice(first) if rank == 0 else slice(first, 4)
        with separate_views(net, num_views) if num_views > 1 else nullcontext():
            outputs = net(torch.cat([view[mine] for view in views])).unflatten(0, (num_views, -1))
        (weights[:, mine] * outputs).sum().backward()
        return outputs

    outputs = ranks.run(train)
    assert set(ranks.calls.values()) == {2}, 'two layers: an exchange forwards and one backwards for each'
    monkeypatch.undo()
    whole = network()
    expected = torch.stack([whole(view) for view in views])
    (weights * expected).sum().backward()
    torch.testing.assert_close(torch.cat(outputs, dim=1), expected, rtol=1e-4, atol=1e-5)
    for p, q in zip(*(net.parameters() for net in nets)):
        p.grad += q.grad
    assert_equal(nets[0], whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('method', toy.METHODS)
def test_training_steps_in_one_pass(method):
    model = toy.build(method, norm='bn')
    one = toy.build(method, norm='bn', one_pass=True)
    passes = Counter()
    for name, net in dict(model=model, one=one).items():
        net.backbone.register_forward_hook(lambda *_, name=name: passes.update([name]))
    wrappers = [toy.OptimWrapper(torch.optim.SGD(net.parameters(), lr=.02)) for net in (model, one)]
    for step in range(3):
        data = toy.batch(step, rho=3)
        logs = [toy.step(net, copy.deepcopy(data), wrapper, 0.) for net, wrapper in zip((model, one), wrappers)]
        for key, value in logs[0].items():
            torch.testing.assert_close(logs[1][key].detach(), value.detach(), rtol=1e-4, atol=1e-5)
    for key, value in model.state_dict().items():
        torch.testing.assert_close(one.state_dict()[key], value, rtol=1e-4, atol=1e-5)
    assert passes == dict(model=9, one=3)


@pytest.mark.parametrize('method', ['byol', 'moco'])
def test_the_momentum_copy_runs_once_for_all_views(method):
    model, calls = toy.build(method, norm='bn'), []
    model.momentum.network.register_forward_hook(lambda module, inputs, output: calls.append(len(inputs[0])))
    apart = copy.deepcopy(model.momentum)
    views = toy.views(model, rho=3)
    model.targets(views)
    assert calls == [12]
    for clip in model.normalize(views).unbind(1):
        apart(clip)
    for a, b in zip(model.momentum.state_dict().values(), apart.state_dict().values()):
        torch.testing.assert_close(a, b)


def test_memory_is_either_spent_or_saved():
    backbone = dict(type='SlowResNet', depth=18, base_channels=4, with_cp=True)
    with pytest.raises(ValueError, match='model.one_pass=True spends memory to save time'):
        toy.build('byol', backbone=backbone, one_pass=True)
