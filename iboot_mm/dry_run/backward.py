"""Backpropagation in Python, for devices that are not there.

torch's engine asks the driver for the streams of a CUDA tensor and refuses a fake one. Its nodes can be called one by
one all the same, which is what this does, in the engine's own order: the last node of the forward pass first, and what
a node saved is let go as soon as it has run. So memory rises and falls as it would.

The rules are those of ``torch/csrc/autograd/engine.cpp``; ``tests/dry_run/test_backward.py`` compares both engines on
real tensors.
"""

import heapq
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.autograd.graph import Node, get_gradient_edge, saved_tensors_hooks


class Engine:
    """What stands for torch's engine inside :meth:`installed`.

    Args:
        before_node: Called with each node before it runs.
        after_gradient: Called with each parameter whose gradient has grown.
        after_backward: Called after each backward pass with the parameters that got a gradient in it.
    """

    def __init__(self, before_node: Callable[[Node], None] = lambda node: None,
                 after_gradient: Callable[[Tensor], None] = lambda parameter: None,
                 after_backward: Callable[[list[Tensor]], None] = lambda parameters: None) -> None:
        self.before_node, self.after_gradient, self.after_backward = before_node, after_gradient, after_backward
        self._unpacked: list[_Saved] = []
        self._depth = 0

    @contextmanager
    def installed(self) -> Iterator['Engine']:
        """Every ``backward()`` inside, also that of a checkpointed block, runs here."""
        with mock.patch.object(torch.autograd, 'backward', self.backward), \
                mock.patch.object(torch._C, '_current_graph_task_id', self._task), \
                saved_tensors_hooks(_Saved, self._unpack):
            yield self

    def backward(self, tensors: Tensor | Sequence[Tensor], grad_tensors: Tensor | Sequence[Tensor] | None = None,
                 retain_graph: bool | None = None, create_graph: bool = False, *args: Any, **kwargs: Any) -> None:
        """As ``torch.autograd.backward`` for gradients of leaves; graphs are never kept."""
        roots = [tensors] if isinstance(tensors, Tensor) else list(tensors)
        grads = [grad_tensors] if isinstance(grad_tensors, Tensor) else list(grad_tensors or [None] * len(roots))
        grads = [torch.ones_like(root) if grad is None else grad for root, grad in zip(roots, grads, strict=True)]
        edges = [get_gradient_edge(root) for root in roots]
        self._depth += 1
        try:
            with torch.no_grad():
                reached = self._run([(edge.node, edge.output_nr, grad) for edge, grad in zip(edges, grads)])
        finally:
            self._depth -= 1
        if not self._depth:  # not of a block that is recomputed
            self.after_backward(reached)

    def _run(self, starts: list[tuple[Node, int, Tensor]]) -> list[Tensor]:
        waiting = _uses(node for node, _, _ in starts)
        inputs: dict[Node, list[Tensor | None]] = {}
        for node, number, grad in starts:
            self._add(inputs, node, number, grad)
        starts.clear()
        ready, order, reached = [], count(), []
        for node in list(inputs):
            if not waiting.get(node):
                heapq.heappush(ready, (-node._sequence_nr(), next(order), node))
        while ready:
            node = heapq.heappop(ready)[2]
            self.before_node(node)
            outputs = self._call(node, inputs.pop(node, []), reached)
            for place, (follower, number) in enumerate(node.next_functions):
                if follower is None:
                    continue
                if outputs[place] is not None:
                    self._add(inputs, follower, number, outputs[place])
                    outputs[place] = None
                waiting[follower] -= 1
                if not waiting[follower] and follower in inputs:
                    heapq.heappush(ready, (-follower._sequence_nr(), next(order), follower))
                elif not waiting[follower]:  # nothing but undefined gradients arrived: it passes those on
                    inputs[follower] = []
                    heapq.heappush(ready, (-follower._sequence_nr(), next(order), follower))
        return reached

    def _call(self, node: Node, grads: list[Tensor | None], reached: list[Tensor]) -> list[Tensor | None]:
        if hasattr(node, 'variable'):
            if grads:
                accumulate(node.variable, grads.pop())
                self.after_gradient(node.variable)
                reached.append(node.variable)
            return []
        metadata = node._input_metadata
        grads += [None] * (len(metadata) - len(grads))
        if all(grad is None for grad in grads):
            return [None] * len(node.next_functions)
        first = len(self._unpacked)
        if hasattr(node, 'apply'):  # an autograd.Function
            if getattr(node, 'materialize_grads', True):
                grads = [torch.zeros(meta.shape, dtype=meta.dtype, device=meta.device) if grad is None else grad
                         for grad, meta in zip(grads, metadata)]
            outputs = _of_tensors(node, node.apply(*grads))
        else:
            outputs = node(*grads)
            outputs = list(outputs) if isinstance(outputs, tuple) else [outputs]
        grads.clear()
        for saved in self._unpacked[first:]:
            saved.tensor = None
        del self._unpacked[first:]
        return outputs

    def _add(self, inputs: dict[Node, list[Tensor | None]], node: Node, number: int, grad: Tensor) -> None:
        metadata = node._input_metadata
        if number < len(metadata):
            grad = _as_expected(grad, metadata[number], node)
        buffer = inputs.setdefault(node, [])
        buffer += [None] * (number + 1 - len(buffer))
        old, buffer[number] = buffer[number], None
        if old is None:
            buffer[number] = grad
        elif sys.getrefcount(old) == 2 and old._base is None:  # nobody else holds it: as the engine, in place
            buffer[number] = old.add_(grad)
        else:
            buffer[number] = old + grad

    def _unpack(self, saved: '_Saved') -> Tensor:
        self._unpacked.append(saved)
        if saved.tensor is None:
            raise RuntimeError('a second backward pass through a graph that the first one let go')
        return saved.tensor

    def _task(self) -> int:
        return self._depth - 1  # -1: outside of a backward pass


class _Saved:
    """A tensor that a node keeps for its backward pass."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


def _of_tensors(function: Node, outputs: Tensor | tuple | None) -> list[Tensor | None]:
    """Gradients for the followers of an ``autograd.Function``, which returns one for each argument, tensor or not."""
    outputs = outputs if isinstance(outputs, tuple) else (outputs, )
    wanted = iter([grad for grad, needed in zip(outputs, function.needs_input_grad) if needed])
    return [None if follower is None else next(wanted) for follower, _ in function.next_functions]


def accumulate(parameter: Tensor, grad: Tensor) -> None:
    """Adds to ``parameter.grad`` as torch's ``AccumulateGrad``: taken as it is if it lies as the parameter does."""
    for hook in (parameter._backward_hooks or {}).values():
        changed = hook(grad)
        grad = grad if changed is None else changed
    if parameter.grad is not None:
        parameter.grad += grad
    elif grad.stride() == parameter.stride() and sys.getrefcount(grad) <= 3:
        parameter.grad = grad.detach()
    else:
        parameter.grad = torch.empty_like(parameter).copy_(grad)
    for hook in (parameter._post_accumulate_grad_hooks or {}).values():
        hook(parameter)


def _uses(roots: Iterator[Node]) -> dict[Node, int]:
    """How many reached nodes hand their gradient to each node."""
    uses: dict[Node, int] = {}
    seen = set(roots)
    stack = list(seen)
    while stack:
        for follower, _ in stack.pop().next_functions:
            if follower is not None:
                uses[follower] = uses.get(follower, 0) + 1
                if follower not in seen:
                    seen.add(follower)
                    stack.append(follower)
    return uses


def _as_expected(grad: Tensor, meta: object, node: Node) -> Tensor:
    """A gradient in the shape and type of what it is of.

    Raises:
        RuntimeError: it is on another device.
    """
    if grad.device != meta.device and grad.ndim:
        raise RuntimeError(f'{node.name()} got a gradient on {grad.device} for a tensor on {meta.device}')
    if grad.shape != tuple(meta.shape):
        grad = grad.sum_to_size(tuple(meta.shape))
    return grad if grad.dtype == meta.dtype else grad.to(meta.dtype)
