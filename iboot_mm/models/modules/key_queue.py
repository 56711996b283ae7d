"""MoCo's queue of keys (He et al., 2020, https://arxiv.org/abs/1911.05722, section 3.2)."""

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather
from torch import Tensor, nn


class KeyQueue(nn.Module):
    """The newest ``size`` keys of all ranks, a ring; equal on all ranks and part of the checkpoint.

    Begins with random directions, as MoCo's; PySlowFast begins with a queue's worth of steps that train nothing.

    Args:
        size: Number of keys K.
        dim: Their width D.

    Attributes:
        keys: Unit vectors ``(K, D)``.
        pointer: Place of the oldest key, which goes next.
    """

    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        self.register_buffer('keys', F.normalize(torch.randn(size, dim), dim=-1))
        self.register_buffer('pointer', torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def enqueue(self, keys: Tensor) -> None:
        """Replaces the oldest keys by those of all ranks.

        Args:
            keys: This rank's unit vectors ``(V, N, D)`` of V views; they enter view by view, ranks in order.

        Raises:
            ValueError: there are more keys than places.
        """
        everyone = torch.cat(all_gather(keys.to(self.keys.dtype).contiguous()), dim=1).flatten(0, 1)  # (V R N, D)
        size, count = len(self.keys), len(everyone)
        if count > size:
            raise ValueError(f'one step makes {count} keys, but the queue holds {size}: raise model.queue_size')
        places = (self.pointer + torch.arange(count, device=keys.device)) % size
        self.keys[places] = everyone
        self.pointer.add_(count).remainder_(size)
