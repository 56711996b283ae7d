"""Memory on the device: what lives, by kind, and its peak."""

import weakref
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .watch import Observer, Operation

BLOCK = 512  # bytes: what torch's caching allocator rounds to


@dataclass
class Peak:
    """Memory at its highest.

    Attributes:
        bytes: On the device.
        kinds: Bytes by kind, as ``activations``.
        part: Part of the step in which it was reached.
        backward: Whether in a backward pass.
    """

    bytes: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    part: str = ''
    backward: bool = False


class MemoryTrace(Observer):
    """Counts each storage on the device from the operation that makes it until nothing holds it any more.

    Args:
        device: Kind of device.
        block: What the allocator rounds to, bytes.
    """

    def __init__(self, device: str = 'cuda', block: int = BLOCK) -> None:
        self.device, self.block = device, block
        self.live = 0
        self.kinds: dict[str, int] = defaultdict(int)
        self.peak = Peak()
        self._storages: dict[int, tuple[str, int]] = {}

    def after(self, operation: Operation) -> None:
        for tensor in operation.made:
            if tensor.device.type == self.device:
                self.add(tensor, _kind(operation), operation.part, operation.backward)

    def add(self, tensor: Tensor, kind: str, part: str = '', backward: bool = False) -> None:
        """Counts a tensor that is there, unless it is counted."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._storages:
            return
        size = -(-storage.nbytes() // self.block) * self.block
        self._storages[key] = kind, size
        weakref.finalize(storage, self._free, key).atexit = False
        self.live += size
        self.kinds[kind] += size
        if self.live > self.peak.bytes:
            kinds = {kind: size for kind, size in self.kinds.items() if size}
            self.peak = Peak(self.live, kinds, part, backward)

    def name(self, tensors: Iterable[Tensor], kind: str) -> None:
        """Says what some tensors are, whatever they were counted as."""
        for tensor in tensors:
            if tensor.device.type != self.device:
                continue
            self.add(tensor, kind)
            key = tensor.untyped_storage()._cdata
            old, size = self._storages[key]
            self._storages[key] = kind, size
            self.kinds[old] -= size
            self.kinds[kind] += size

    def restart(self) -> None:
        """Forgets the peak, not what lives."""
        self.peak = Peak()

    def _free(self, key: int) -> None:
        kind, size = self._storages.pop(key)
        self.live -= size
        self.kinds[kind] -= size


def _kind(operation: Operation) -> str:
    if operation.backward:
        return 'backward'
    return dict(augmentation='batch', optimizer='optimizer').get(
        operation.part, operation.part if operation.part in ('teacher', 'momentum copy') else 'activations')


def sizes(tensors: Iterable[Tensor]) -> int:
    """Bytes of tensors."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors if isinstance(tensor, torch.Tensor))
