"""Exchange of tensors that gradients flow through."""

import torch
from mmengine.dist import all_gather, all_reduce, get_rank, get_world_size
from torch import Tensor


class _Gather(torch.autograd.Function):
    """In place of ``torch.distributed.nn``'s, deprecated and, on CPUs, wrong for gradients of permuted axes."""

    @staticmethod
    def forward(ctx, tensor: Tensor, dim: int) -> Tensor:
        ctx.dim = dim
        return torch.cat(all_gather(tensor.contiguous()), dim=dim)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        all_reduce(gradient)
        return gradient.chunk(get_world_size(), dim=ctx.dim)[get_rank()], None


def gather_with_gradient(tensor: Tensor, dim: int = 0) -> Tensor:
    """All ranks' tensors of one shape, joined along ``dim``; each rank gets the gradients of all ranks' losses.

    With the mean over ranks that the distributed wrapper takes of parameters' gradients, the mean of the ranks' losses
    has exactly its own gradient.
    """
    return tensor if get_world_size() == 1 else _Gather.apply(tensor, dim)
