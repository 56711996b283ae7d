"""Sees every operation that a step asks of the device."""

import bisect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch._subclasses.fake_tensor import FakeTensor, unset_fake_temporarily
from torch.autograd.graph import Node
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from .kernels import FAKE

PROJECT = str(Path(__file__).parents[2])
HERE = str(Path(__file__).parent)
LIBRARIES = (str(Path(torch.__file__).parent), HERE, '<')
ASKING = ('torch/amp/grad_scaler.py', 'torch/nn/modules/_functions.py')  # parts of torch that ask for themselves


@dataclass(frozen=True)
class Operation:
    """One operation as torch dispatches it, below autograd and autocast.

    Attributes:
        func: The operation.
        args: Its arguments, and ``kwargs``.
        tensors: The tensors among them.
        out: What it gives, and ``made``, the tensors in it.
        part: Part of the step.
        backward: Whether it is part of a backward pass.
    """

    func: OpOverload
    args: tuple
    kwargs: dict
    tensors: list[Tensor]
    out: object
    made: list[Tensor]
    part: str
    backward: bool


class Observer:
    """Something that looks at operations."""

    def answer(self, func: OpOverload, args: tuple, kwargs: dict) -> object:
        """What to give in place of running it; NotImplemented to run it."""
        return NotImplemented

    def after(self, operation: Operation) -> None:
        """Called with what has run."""

    def restart(self) -> None:
        """Called when a step begins."""


class Watch(TorchDispatchMode):
    """Hands each operation to observers, with the part of the step that asked for it.

    Args:
        observers: Who looks, in this order.
    """

    def __init__(self, observers: list[Observer]) -> None:
        super().__init__()
        self.observers = observers
        self.backward = False
        self._parts = ['other']
        self._starts: list[int] = [-1]  # first autograd node of each stretch of the forward pass
        self._stretches: list[str] = ['other']

    def __torch_dispatch__(self, func: OpOverload, types: tuple, args: tuple = (),
                           kwargs: dict | None = None) -> object:
        kwargs = kwargs or {}
        for observer in self.observers:
            answer = observer.answer(func, args, kwargs)
            if answer is not NotImplemented:
                return answer
        leaves = tree_leaves((args, kwargs))
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        if func._schema.name.startswith('aten::_fused_') and not func._schema.returns:
            out = None  # optimizers write in place and give nothing; torch has no fake version of them
        elif func in FAKE:
            out = FAKE[func](*args, **kwargs)
        elif _on_host(tensors, leaves):
            with unset_fake_temporarily():
                out = func(*args, **kwargs)
        else:
            try:
                out = func(*args, **kwargs)
            except RuntimeError as error:
                if 'driver' in str(error):  # torch then runs the real one on zeros
                    raise NotImplementedError(f'torch has no fake version of {func}, which {place()[0]} calls: add '
                                              'one to iboot_mm/dry_run/kernels.py') from error
                raise
        made = [leaf for leaf in tree_leaves(out) if isinstance(leaf, Tensor)]
        operation = Operation(func, args, kwargs, tensors, out, made, self._parts[-1], self.backward)
        for observer in self.observers:
            observer.after(operation)
        return out

    @property
    def part(self) -> str:
        """The part of the step that runs now."""
        return self._parts[-1]

    @contextmanager
    def within(self, part: str) -> Iterator[None]:
        """What runs inside, and its backward pass, belongs to a part."""
        self.enter(part)
        try:
            yield
        finally:
            self.leave()

    def enter(self, part: str) -> None:
        """Begins a part."""
        self._parts.append(part)
        self._mark()

    def leave(self) -> None:
        """Ends the part that began last."""
        self._parts.pop()
        self._mark()

    def before_node(self, node: Node) -> None:
        """Sets the part of a node of the backward pass: where its forward pass ran."""
        number = node._sequence_nr()
        if number < 2 ** 63:
            self._parts[-1] = self._stretches[bisect.bisect_right(self._starts, number) - 1]

    @contextmanager
    def backpropagating(self) -> Iterator[None]:
        """Inside, nodes say which part it is."""
        self._parts.append('other')
        before, self.backward = self.backward, True
        try:
            yield
        finally:
            self._parts.pop()
            self.backward = before

    def _mark(self) -> None:
        number = torch.autograd._get_sequence_nr()
        if self._starts[-1] == number:
            self._stretches[-1] = self._parts[-1]
        else:
            self._starts.append(number)
            self._stretches.append(self._parts[-1])


def _on_host(tensors: list[Tensor], leaves: list) -> bool:
    """Whether an operation is one of the host's on values that are there, such as labels and seeds."""
    return (not any(isinstance(tensor, FakeTensor) or tensor.device.type != 'cpu' for tensor in tensors)
            and not any(isinstance(leaf, torch.device) and leaf.type != 'cpu' for leaf in leaves))


def place() -> tuple[str, str]:
    """File and line that asked for the operation, outside of torch; and the line of this project that led there."""
    asked = own = ''
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(LIBRARIES) or file.endswith(ASKING):
            inside = file.startswith(PROJECT) and 'site-packages' not in file
            line = f'{_short(file)}:{frame.f_lineno}'
            asked = asked or line
            if inside:
                own = line
                break
        frame = frame.f_back
    return asked, own


def _short(file: str) -> str:
    for root in (PROJECT, *sys.path):
        if root and file.startswith(root + '/'):
            file = file.removeprefix(root + '/')
            break
    return file.split('site-packages/')[-1]
