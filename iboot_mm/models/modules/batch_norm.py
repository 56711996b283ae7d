"""BN over several views in one pass, each normalised by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

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


def _normalize_views(norm: _BatchNorm, num_views: int, inputs: Tensor) -> Tensor:
    if num_views > 1 and isinstance(norm, nn.SyncBatchNorm) and dist.is_initialized():
        group = norm.process_group or dist.group.WORLD
        if dist.get_world_size(group) > 1:
            return _SyncedViews.apply(inputs, norm.weight, norm.bias, norm, group, num_views)
    return torch.cat([type(norm).forward(norm, view) for view in inputs.chunk(num_views)])


class _SyncedViews(Function):
    """torch's SyncBN of V views with the exchanges of one, for batches that are as large on all ranks."""

    @staticmethod
    def forward(ctx, inputs: Tensor, weight: Tensor, bias: Tensor, norm: nn.SyncBatchNorm, group: dist.ProcessGroup,
                num_views: int) -> Tensor:
        inputs = _dense(inputs)
        views = inputs.chunk(num_views)
        own = torch.stack([torch.stack(torch.batch_norm_stats(view, norm.eps)) for view in views])  # (V, 2, C)
        everyone = _gather(own, group)  # (R, V, 2, C)
        counts = own.new_full((len(everyone), ), views[0].numel() // inputs.shape[1])
        outputs = torch.empty_like(inputs)
        moments = []
        for view, output, statistics in zip(views, outputs.chunk(num_views), everyone.unbind(1), strict=True):
            norm.num_batches_tracked.add_(1)
            mean, scale = torch.batch_norm_gather_stats_with_counts(
                view, *statistics.unbind(1), norm.running_mean, norm.running_var, norm.momentum, norm.eps, counts)
            torch.batch_norm_elemt(view, weight, bias, mean, scale, norm.eps, out=output)
            moments += mean, scale
        ctx.save_for_backward(inputs, weight, counts.to(torch.int32), *moments)
        ctx.group = group
        return outputs

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        inputs, weight, counts, *moments = ctx.saved_tensors
        means, scales = moments[::2], moments[1::2]
        views, gradients = inputs.chunk(len(means)), _dense(gradient).chunk(len(means))
        reduced = [torch.batch_norm_backward_reduce(dy, view, mean, scale, weight, True, True, True)
                   for dy, view, mean, scale in zip(gradients, views, means, scales, strict=True)]
        sums = torch.stack([torch.stack(of_view[:2]) for of_view in reduced])  # (V, 2, C)
        dist.all_reduce(sums, group=ctx.group)
        of_inputs = torch.cat([
            torch.batch_norm_backward_elemt(dy, view, mean, scale, weight, *both, counts)
            for dy, view, mean, scale, both in zip(gradients, views, means, scales, sums, strict=True)])
        of_weight, of_bias = (torch.stack(parts).sum(0) for parts in zip(*(of_view[2:] for of_view in reduced),
                                                                         strict=True))
        return of_inputs, of_weight, of_bias, None, None, None


def _dense(tensor: Tensor) -> Tensor:
    layouts = (torch.channels_last, torch.channels_last_3d)
    fits = any(tensor.is_contiguous(memory_format=layout) for layout in layouts)
    return tensor if fits else tensor.contiguous()


def _gather(tensor: Tensor, group: dist.ProcessGroup) -> Tensor:
    """All ranks' tensors ``(R, ...)``."""
    everyone = tensor.new_empty(dist.get_world_size(group), *tensor.shape)
    dist.all_gather(list(everyone.unbind()), tensor, group)
    return everyone
