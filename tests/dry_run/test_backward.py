"""Both engines on real tensors: the same gradients, bit for bit."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from iboot_mm.dry_run.backward import Engine


class Block(nn.Module):
    def __init__(self, channels: int, reentrant: bool | None) -> None:
        super().__init__()
        self.convs = nn.Sequential(nn.Conv3d(channels, channels, 3, padding=1), nn.BatchNorm3d(channels),
                                   nn.ReLU(inplace=True), nn.Conv3d(channels, channels, 1))
        self.reentrant = reentrant

    def forward(self, x: Tensor) -> Tensor:
        residual = lambda x: self.convs(x) + x
        x = residual(x) if self.reentrant is None else checkpoint(residual, x, use_reentrant=self.reentrant)
        return F.relu(x, inplace=True)


def network(reentrant: bool | None) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv3d(3, 8, 3), Block(8, reentrant), Block(8, reentrant), nn.Flatten(2), nn.LayerNorm(16))


def loss_of(net: nn.Module) -> Tensor:
    maps = net(torch.rand(2, 3, 3, 6, 6, generator=torch.Generator().manual_seed(1)))
    first, second = maps.chunk(2)
    expanded = first * maps.mean(0, keepdim=True).double() + F.normalize(second.expand_as(first), dim=-1)
    return expanded.pow(2).mean() + torch.cat([maps[:, 2:5], maps[:, :3]]).std()


@pytest.mark.parametrize('reentrant', [None, True, False])
def test_gradients_are_those_of_torchs_engine(reentrant: bool | None) -> None:
    ours, theirs = network(reentrant), network(reentrant)
    loss_of(theirs).backward()
    loss_of(theirs).backward()  # a second time, into gradients that are there
    with Engine().installed():
        loss_of(ours).backward()
        loss_of(ours).backward()
    for own, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(own.grad, other.grad, rtol=0, atol=0)


def test_what_a_node_saved_is_let_go_when_it_has_run() -> None:
    net = network(None)
    with Engine().installed():
        loss = loss_of(net)
        loss.backward()
        with pytest.raises(RuntimeError, match='a second backward pass through a graph'):
            loss.backward()


def test_hooks_say_which_gradients_there_are() -> None:
    net, grown, passes = network(False), [], []
    net[1].convs[0].weight.register_post_accumulate_grad_hook(lambda weight: grown.append('hook'))
    copied = copy.deepcopy(net)
    with Engine(after_gradient=grown.append, after_backward=passes.append).installed():
        loss_of(net).backward()
    assert 'hook' in grown
    assert {id(p) for p in grown if isinstance(p, Tensor)} == {id(p) for p in net.parameters()}
    assert len(passes) == 1  # the blocks that are computed anew do not count
    assert all(p.grad is None for p in copied.parameters())
