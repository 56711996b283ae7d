"""Exchange of tensors that gradients flow through."""

import torch
from mmengine.dist import get_world_size
from torch import Tensor
from torch.distributed.nn.functional import all_gather


def gather_with_gradient(tensor: Tensor, dim: int = 0) -> Tensor:
    """All ranks' tensors of one shape, joined along ``dim``; each rank gets the gradients of all ranks' losses.

    With the mean over ranks that the distributed wrapper takes of parameters' gradients, the mean of the ranks' losses
    has exactly its own gradient.
    """
    if get_world_size() == 1:
        return tensor
    parts = all_gather(tensor.contiguous())
    for part in parts:
        if part.requires_grad:
            # On CPUs, torch receives the others' contiguous gradients into memory that lies as its own gradient does:
            # one that is permuted, such as einsum's, would be scrambled.
            part.register_hook(Tensor.contiguous)
    return torch.cat(parts, dim=dim)
