"""Exchange of tensors between processes."""

from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from mmengine.dist import all_gather, all_reduce, get_rank, get_world_size
from torch import Tensor


class _Gather(torch.autograd.Function):
    """In place of ``torch.distributed.nn``'s, deprecated and, on CPUs, wrong for gradients of permuted axes."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, dim: int) -> Tensor:
        ctx.dim = dim
        return torch.cat(all_gather(tensor.contiguous()), dim=dim)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        all_reduce(gradient)
        return gradient.chunk(get_world_size(), dim=ctx.dim)[get_rank()], None


def gather_with_gradient(tensor: Tensor, dim: int = 0) -> Tensor:
    """All ranks' tensors of one shape, joined along ``dim``; each rank gets the gradients of all ranks' losses.

    With the mean over ranks that the distributed wrapper takes of parameters' gradients, the mean of the ranks' losses
    has exactly its own gradient.
    """
    return tensor if get_world_size() == 1 else _Gather.apply(tensor, dim)


@torch.no_grad()
def exchange_rows(tensor: Tensor, order: Tensor) -> Tensor:
    """This rank's part of all ranks' rows in another order; each row is sent once, to the rank that it goes to.

    Of ``torch.cat(all_gather(tensor))[order].chunk(R)[rank]`` it is the very result, without the other ranks' parts.

    Args:
        tensor: N rows ``(N, ...)``, as many on each of R ranks.
        order: Places ``(R N,)`` in all ranks' rows, a permutation and the same on all ranks; best on the host, which
            has to read it.

    Returns:
        ``(N, ...)``, without gradient.
    """
    rank, world_size, count = get_rank(), get_world_size(), len(tensor)
    everyones = order.cpu().numpy()
    mine = slice(rank * count, (rank + 1) * count)
    wanted, going = everyones[mine], everyones.argsort()[mine] // count  # rows, and the ranks that this rank's go to
    sent, received = (np.bincount(ranks, minlength=world_size).tolist() for ranks in (going, wanted // count))
    # Rows for one rank are sent, and so arrive from each rank, in the order of their numbers.
    leaving, places = (torch.from_numpy(numbers).to(tensor.device, non_blocking=True)
                       for numbers in (going.argsort(kind='stable'), wanted.argsort()))
    rows = tensor[leaving].contiguous()
    arrived = torch.empty_like(rows)
    dist.all_to_all_single(arrived, rows, received, sent)
    result = torch.empty_like(tensor, memory_format=torch.contiguous_format)
    result[places] = arrived
    return result
