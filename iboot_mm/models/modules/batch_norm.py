"""BN over several views in one pass, each normalised by itself, and over several processes without waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial, reduce
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def separate_views(network: nn.Module, num_views: int) -> Iterator[None]:
    """Inside, BN that normalises by the batch takes each of ``num_views`` equal parts of a batch by itself.

    A batch ``(V N, ...)``, view after view, then gives what V passes of ``(N, ...)`` give, running statistics included;
    other layers differ by rounding where they compute larger batches in another order. SyncBN exchanges the statistics
    of all views at once, a collective a layer in place of V.

    A backward pass that recomputes activations has to be inside, too.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm) and module.training]
    for norm in norms:
        norm.forward = partial(_normalize_views, norm, num_views)
    try:
        yield
    finally:
        for norm in norms:
            del norm.forward


def without_waits(network: nn.Module) -> None:
    """Makes torch's SyncBN of a network the one below."""
    for module in network.modules():
        if type(module) is nn.SyncBatchNorm:
            module.__class__ = SyncBatchNorm


class SyncBatchNorm(nn.SyncBatchNorm):
    """torch's SyncBN for processes of which each has samples.

    torch's looks for those that have none, for which it waits for the GPU three times in each layer.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs ``(N, C, ...)``, normalised over the samples of all processes."""
        return _synchronised(self, inputs, num_views=1) if _exchanges(self) else super().forward(inputs)


def _normalize_views(norm: _BatchNorm, num_views: int, inputs: Tensor) -> Tensor:
    if _exchanges(norm):
        return _synchronised(norm, inputs, num_views)
    return torch.cat([type(norm).forward(norm, view) for view in inputs.chunk(num_views)])


def _exchanges(norm: _BatchNorm) -> bool:
    return (isinstance(norm, nn.SyncBatchNorm) and norm.training and dist.is_initialized()
            and norm.affine and norm.track_running_stats and norm.momentum is not None
            and dist.get_world_size(norm.process_group) > 1)


def _synchronised(norm: nn.SyncBatchNorm, inputs: Tensor, num_views: int) -> Tensor:
    return _Synchronised.apply(inputs, norm.weight, norm.bias, norm, num_views)


class _Synchronised(Function):
    """torch's SyncBN, by the same kernels, of V views with the exchanges of one."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, norm: nn.SyncBatchNorm,
                num_views: int) -> Tensor:
        inputs = _dense(inputs)
        views = inputs.chunk(num_views)
        own = [part for view in views for part in torch.batch_norm_stats(view, norm.eps)]  # of each view (C,) and (C,)
        count = own[0].new_full((1, ), views[0].numel() // len(weight))
        everyone = _gather(torch.cat([*own, count]), norm.process_group)  # (R, 2 V C + 1)
        counts = everyone[:, -1].contiguous()
        outputs, moments = torch.empty_like(inputs), []
        norm.num_batches_tracked.add_(num_views)
        for view, output, statistics in zip(views, outputs.chunk(num_views), everyone[:, :-1].chunk(num_views, dim=1),
                                            strict=True):
            moments += torch.batch_norm_gather_stats_with_counts(
                view, *statistics.chunk(2, dim=1), norm.running_mean, norm.running_var, norm.momentum, norm.eps, counts)
            torch.batch_norm_elemt(view, weight, bias, *moments[-2:], norm.eps, out=output)
        ctx.save_for_backward(inputs, weight, counts.to(torch.int32), *moments)
        ctx.group = norm.process_group
        return outputs

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        inputs, weight, counts, *moments = ctx.saved_tensors
        means, scales = moments[::2], moments[1::2]
        views, gradients = inputs.chunk(len(means)), _dense(gradient).chunk(len(means))
        reduced = [torch.batch_norm_backward_reduce(dy, view, mean, scale, weight, True, True, True)
                   for dy, view, mean, scale in zip(gradients, views, means, scales, strict=True)]
        sums = torch.cat([part for of_view in reduced for part in of_view[:2]])
        dist.all_reduce(sums, group=ctx.group)
        sums = sums.view(len(means), 2, -1)
        of_inputs = [torch.batch_norm_backward_elemt(dy, view, mean, scale, weight, *both, counts)
                     for dy, view, mean, scale, both in zip(gradients, views, means, scales, sums, strict=True)]
        of_weight, of_bias = (reduce(torch.add, parts) for parts in zip(*(of_view[2:] for of_view in reduced),
                                                                        strict=True))
        return of_inputs[0] if len(views) == 1 else torch.cat(of_inputs), of_weight, of_bias, None, None


def _dense(tensor: Tensor) -> Tensor:
    fits = (tensor.is_contiguous(memory_format=torch.channels_last)
            or tensor.is_contiguous(memory_format=torch.channels_last_3d))  # any(...) ends a graph of torch.compile
    return tensor if fits else tensor.contiguous()


def _gather(tensor: Tensor, group: dist.ProcessGroup | None) -> Tensor:
    """All ranks' vectors ``(L,)`` as ``(R, L)``."""
    gather = getattr(dist, 'all_gather_single', None) or dist.all_gather_into_tensor  # the name in older torch
    everyone = tensor.new_empty(dist.get_world_size(group), len(tensor))
    gather(everyone.view(-1), tensor, group)
    return everyone
