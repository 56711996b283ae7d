"""Where a step waits for the device, or works on the host."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch._subclasses.fake_tensor import FakeTensor

from .watch import Observer, Operation, place

aten = torch.ops.aten


@dataclass(frozen=True)
class Wait:
    """A place where the host waits for the device, or does itself what the device could do.

    Attributes:
        kind: ``read`` (``.item()``, ``bool(tensor)``), ``shape`` (a result whose size depends on values), ``to host``,
            ``to device`` or ``on host`` (a tensor made there in the step).
        operation: torch's name of it.
        asked: File and line, outside of torch.
        own: The line of this project that led there; empty if none.
        part: Part of the step.
    """

    kind: str
    operation: str
    asked: str
    own: str
    part: str

    @property
    def reason(self) -> str | None:
        """Why it has to be; None if nobody knows."""
        return next((reason for file, reason in KNOWN if self.asked.startswith(file)), None)

    def __str__(self) -> str:
        where = self.asked + (f' (from {self.own})' if self.own not in ('', self.asked) else '')
        return f'{where}: {KINDS[self.kind]} ({self.operation}, {self.part})'


KINDS = {
    'read': 'a value is read on the host, which waits for the device',
    'shape': 'the size of the result depends on values, for which the host waits',
    'to host': 'a tensor is copied to the host, which waits for it',
    'to device': 'a tensor is copied to the device, for which the host waits, as non_blocking=True is missing',
    'on host': 'a tensor is made on the host',
}
# What a step may wait for: where it is asked, and why.
KNOWN = (
    ('torch/amp/grad_scaler.py', "mmengine's AmpOptimWrapper asks its loss scaler once a step, under bfloat16 too"),
    ('mmengine/optim/optimizer/optimizer_wrapper.py', 'mmengine logs the norm of gradients that it clips, once a step'),
    ('iboot_mm/models/pretrainers/moco.py', 'of the order of the shuffle, which rank 0 draws, each process reads which '
                                            'clips go where, once a step'),
)
ENDLESS = 10_000  # times that one line may ask: far above what any step does
SHAPES = {aten.nonzero.default, aten.masked_select.default, aten._unique2.default, aten.unique_consecutive.default,
          aten.unique_dim.default, aten.bincount.default, aten.repeat_interleave.Tensor}


class WaitTrace(Observer):
    """Collects waits, and answers what needs a value: numbers are 0, truths are true, all of a mask is chosen; so no
    scaled gradient overflows and no loss is NaN.

    Attributes:
        found: Waits, each with how often it came.
        part: Says which part of the step runs.
    """

    def __init__(self) -> None:
        self.found: dict[Wait, int] = {}
        self.part = lambda: ''

    def restart(self) -> None:
        """Forgets what was found."""
        self.found.clear()

    def answer(self, func: OpOverload, args: tuple, kwargs: dict) -> object:
        if func is aten._local_scalar_dense.default:
            if args[0].device.type == 'cuda':
                self.note('read', func)
            elif not isinstance(args[0], FakeTensor):
                return NotImplemented
            return True if args[0].dtype == torch.bool else 0. if args[0].is_floating_point() else 0
        if func in SHAPES and args[0].device.type == 'cuda':
            self.note('shape', func)
            if func is aten.nonzero.default:
                return torch.empty(args[0].numel(), args[0].ndim, dtype=torch.long, device=args[0].device)
        if func in (aten.index.Tensor, aten.index_put_.default, aten.index_put.default) and args[0].is_cuda:
            if any(map(_is_mask, args[1])):
                self.note('shape', func)
                if func is aten.index.Tensor:
                    return func(args[0], _all_of(args[1]))
        return NotImplemented

    def after(self, operation: Operation) -> None:
        made = operation.made
        if not made:
            return
        devices = {tensor.device.type for tensor in operation.tensors}
        if operation.func is aten.copy_.default:
            target, source, *blocking = operation.args
            self._copy(source, target, operation, bool(blocking and blocking[0]))
        elif operation.func is aten._to_copy.default:
            self._copy(operation.args[0], made[0], operation, operation.kwargs.get('non_blocking', False))
        elif not devices and made[0].device.type == 'cpu' and made[0].ndim:
            self.note('on host', operation.func)

    def _copy(self, source: Tensor, target: Tensor, operation: Operation, non_blocking: bool) -> None:
        if source.is_cuda and not target.is_cuda:  # into ordinary memory, whatever non_blocking says
            self.note('to host', operation.func)
        elif target.is_cuda and not source.is_cuda and not non_blocking:  # torch then synchronises the stream
            self.note('to device', operation.func)

    def note(self, kind: str, func: OpOverload) -> None:
        """A wait of some kind is asked for here."""
        wait = Wait(kind, str(func.overloadpacket), *place(), self.part())
        self.found[wait] = self.found.get(wait, 0) + 1
        if self.found[wait] > ENDLESS:
            raise RuntimeError(f'{wait}, more than {ENDLESS} times: a loop that ends at some value never does in a '
                               'dry run, which has no values; let it run a fixed number of times')


def _is_mask(index: Tensor | None) -> bool:
    return index is not None and index.dtype in (torch.bool, torch.uint8)


def _all_of(indices: list[Tensor | None]) -> list[Tensor | None]:
    """Indices in which a mask is as many numbers as it has entries."""
    result: list[Tensor | None] = []
    for index in indices:
        if _is_mask(index):
            numbers = torch.empty(index.numel(), dtype=torch.long, device=index.device)
            result += [numbers] * index.ndim
        else:
            result.append(index)
    return result
