"""Figures of a training step, averaged over processes and read from the device when somebody asks for them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmaction.registry import HOOKS
from mmengine.dist import get_comm_device, get_world_size
from mmengine.hooks import RuntimeInfoHook
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner import Runner
from torch import Tensor


@HOOKS.register_module()
class DeferredInfoHook(RuntimeInfoHook):
    """mmengine's ``RuntimeInfoHook``, but of all processes, and losses stay on the device until they are wanted.

    That one logs what process 0 saw, a share of the batch. Here each tensor of a step is the mean over all processes,
    which is the whole batch's, since their shares are alike. And that one makes each loss a number in each iteration:
    the host waits until a GPU has done the whole step, and then the GPU until the host has prepared the next one. Here
    a step starts one exchange of a few bytes, for which nobody waits until a logger, alarm or checkpoint reads them.
    As it is started in every step, on all processes, it does not matter which of them read, or when.

    A model must return the same names on all processes, as ``log_vars`` do. What is no tensor is logged as it is.

    Example:
        >>> default_hooks = dict(runtime_info=dict(type='DeferredInfoHook'))
    """

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None,
                         outputs: dict | None = None) -> None:
        """Notes the step's figures."""
        hub, outputs = runner.message_hub, outputs or {}
        tensors = {key: value.detach() for key, value in outputs.items() if isinstance(value, Tensor)}
        means = MeansOfProcesses(list(tensors.values())) if tensors else None
        for place, key in enumerate(tensors):
            deferred_buffer(hub, f'train/{key}').waiting.append((means, place))
        for key, value in outputs.items():
            if key not in tensors:
                hub.update_scalar(f'train/{key}', value)


class MeansOfProcesses:
    """Means over all processes of some figures of this step; the exchange runs on while training does.

    Args:
        figures: Tensors of one number each, as many in every process.
    """

    def __init__(self, figures: Sequence[Tensor]) -> None:
        self._figures = figures
        self._processes = get_world_size()
        if self._processes > 1:
            device = get_comm_device()
            self._figures = torch.stack([value.reshape(()).to(device, torch.float32) for value in figures])
            self._exchange = torch.distributed.all_reduce(self._figures, async_op=True)

    def __getitem__(self, place: int) -> Tensor:
        """One of them, a scalar on its device."""
        if self._processes == 1:
            return self._figures[place].reshape(())
        self._exchange.wait()
        return self._figures[place] / self._processes


class DeferredBuffer(HistoryBuffer):
    """A history whose last figures may still be on a device; in a checkpoint it is mmengine's own kind.

    Attributes:
        waiting: Figures of steps, each with the place in them.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.waiting: list[tuple[Sequence[Tensor] | MeansOfProcesses, int]] = []
        super().__init__(*args, **kwargs)

    def __reduce__(self) -> tuple:
        return HistoryBuffer, (self._log_history, self._count_history, self.max_length)

    # What mmengine's methods work on.
    @property
    def _log_history(self) -> np.ndarray:
        self._read()
        return self._logs

    @_log_history.setter
    def _log_history(self, values: np.ndarray) -> None:
        self._logs = values

    @property
    def _count_history(self) -> np.ndarray:
        self._read()
        return self._counts

    @_count_history.setter
    def _count_history(self, values: np.ndarray) -> None:
        self._counts = values

    def _read(self) -> None:
        if self.waiting:
            values = torch.stack([figures[place] for figures, place in self.waiting]).tolist()
            self.waiting = []
            self._logs = np.append(self._logs, values)[-self.max_length:]
            self._counts = np.append(self._counts, np.ones(len(values), int))[-self.max_length:]


def deferred_buffer(hub: MessageHub, name: str) -> DeferredBuffer:
    """The history of this name, made one that waits where it is new or comes from a checkpoint."""
    found = hub.log_scalars.get(name)
    if isinstance(found, DeferredBuffer):
        return found
    if found is None:
        hub.update_scalar(name, 0.)  # as mmengine registers a name
        hub.log_scalars[name] = DeferredBuffer(np.zeros(0), np.zeros(0, int))
    else:
        hub.log_scalars[name] = DeferredBuffer(*found.data)
    return hub.log_scalars[name]
