"""How much a step computes and moves, and how long that takes at least."""

import copy
from collections import defaultdict
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.flop_counter import flop_registry

from .gpus import GB, GPU
from .watch import Observer, Operation

aten = torch.ops.aten
PRODUCTS = {aten.mm, aten.addmm, aten.bmm, aten.baddbmm}


@dataclass
class Work:
    """Operations of one kind.

    Attributes:
        operations: How many, which is how many kernels at least.
        flops: Floating-point operations of convolutions, matrix products and attention; two for a multiply-add.
        bytes: Read and written by all operations.
    """

    operations: int = 0
    flops: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Roofline:
    """Which share of a GPU's peaks a step reaches.

    Attributes:
        gpu: The GPU.
        mfu: Share of the peak rate of its arithmetic.
        bandwidth: Share of its memory's rate.
        launch: Seconds that a kernel takes at least.
    """

    gpu: GPU
    mfu: float = .4
    bandwidth: float = .7
    launch: float = 3e-6

    def seconds(self, key: tuple[str, bool], flops: int, moved: int) -> float:
        """Of one operation: the slower of arithmetic and memory.

        Args:
            key: Its type of number, and whether it is a matrix product.
            flops: Its floating-point operations.
            moved: Bytes that it reads and writes.
        """
        return max(flops / (self.gpu.peak(*key) * self.mfu), moved / (self.gpu.bandwidth * GB * self.bandwidth),
                   self.launch)


class WorkTrace(Observer):
    """Counts what operations compute and move.

    Attributes:
        parts: By part and whether backward.
        single: Each operation's ``(type, is product), flops, bytes``, and how often it comes, by part.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begins anew."""
        self.parts: dict[tuple[str, bool], Work] = defaultdict(Work)
        self.single: dict[str, list[tuple[tuple[str, bool], int, int, int]]] = defaultdict(list)

    def after(self, operation: Operation) -> None:
        made, tensors = operation.made, operation.tensors
        mutates = operation.func._schema.is_mutable
        if not made and not mutates or operation.func.namespace == 'c10d':
            return
        if not any(tensor.is_cuda for tensor in (*made, *tensors)):
            return
        inputs = {id(t): t for t in tensors}
        storages = {t.untyped_storage()._cdata for t in inputs.values()}
        if not mutates and all(t.untyped_storage()._cdata in storages for t in made):
            return  # a view
        packet = operation.func._overloadpacket
        flops = 0
        if packet in flop_registry:
            flops = int(flop_registry[packet](*operation.args, **operation.kwargs, out_val=operation.out))
        moved = sum(map(_bytes, inputs.values())) + sum(_bytes(t) for t in made if id(t) not in inputs)
        work = self.parts[operation.part, operation.backward]
        work.operations += 1
        work.flops += flops
        work.bytes += moved
        dtype = str((made or tensors)[0].dtype).removeprefix('torch.')
        self.single[operation.part].append(((dtype, packet in PRODUCTS), flops, moved, 1))

    def repeat(self, times: int) -> None:
        """All so far is done so often in a step."""
        for work in self.parts.values():
            work.operations, work.flops, work.bytes = (times * n for n in (work.operations, work.flops, work.bytes))
        self.single = defaultdict(list, {part: [(*one[:3], times * one[3]) for one in operations]
                                         for part, operations in self.single.items()})

    def copy(self) -> 'WorkTrace':
        """What was counted so far."""
        return copy.deepcopy(self)

    def seconds(self, roofline: Roofline) -> dict[str, float]:
        """Time by part."""
        return {part: sum(times * roofline.seconds(*one) for *one, times in operations)
                for part, operations in self.single.items()}

    def total(self) -> Work:
        """Of all parts."""
        works = self.parts.values()
        return Work(*(sum(getattr(work, name) for work in works) for name in ('operations', 'flops', 'bytes')))


def _bytes(tensor: Tensor) -> int:
    return min(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())
