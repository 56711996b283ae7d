"""Results of kernels of which torch has no fake version: those of SyncBN."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch._ops import OpOverload

aten = torch.ops.aten


def _per_channel(clips: Tensor) -> Tensor:
    return torch.empty(clips.shape[1], dtype=torch.float32, device=clips.device)


def _two(clips: Tensor, *_: object) -> tuple[Tensor, Tensor]:
    return _per_channel(clips), _per_channel(clips)


def _alike(clips: Tensor, *_: object) -> Tensor:
    return torch.empty_like(clips)


def _out(*_: object, out: Tensor) -> Tensor:
    return out


def _reduced(gradient: Tensor, clips: Tensor, mean: Tensor, invstd: Tensor, weight: Tensor | None,
             *needed: bool) -> tuple[Tensor, ...]:
    return tuple(_per_channel(clips) for _ in range(4))


FAKE: dict[OpOverload, Callable] = {
    aten.batch_norm_stats.default: _two,
    aten.batch_norm_gather_stats_with_counts.default: _two,
    aten.batch_norm_elemt.default: _alike,
    aten.batch_norm_elemt.out: _out,
    aten.batch_norm_backward_reduce.default: _reduced,
    aten.batch_norm_backward_elemt.default: _alike,
}
