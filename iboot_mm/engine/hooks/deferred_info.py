"""Figures of a training step, read from the device when somebody asks for them."""

import numpy as np
import torch
from mmaction.registry import HOOKS
from mmengine.hooks import RuntimeInfoHook
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner
from torch import Tensor


@HOOKS.register_module()
class DeferredInfoHook(RuntimeInfoHook):
    """mmengine's ``RuntimeInfoHook``, but losses stay on the device until a logger, alarm or checkpoint wants them.

    That one makes each loss a number in each iteration: the host waits until a GPU has done the whole step, and then
    the GPU until the host has prepared the next one. What is logged is the same.

    Example:
        >>> default_hooks = dict(runtime_info=dict(type='DeferredInfoHook'))
    """

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None,
                         outputs: dict | None = None) -> None:
        """Notes the step's figures."""
        hub = runner.message_hub
        for key, value in (outputs or {}).items():
            name = f'train/{key}'
            buffer = hub.log_scalars.get(name)
            if isinstance(value, Tensor) and isinstance(buffer, DeferredBuffer):
                buffer.waiting.append(value.detach())
                continue
            hub.update_scalar(name, value)
            if isinstance(value, Tensor):  # the first one of a run
                hub.log_scalars[name] = DeferredBuffer(*hub.log_scalars[name].data)


class DeferredBuffer(HistoryBuffer):
    """A history whose last figures may still be on a device; in a checkpoint it is mmengine's own kind.

    Attributes:
        waiting: Tensors of one number each.
    """

    def __init__(self, *args, **kwargs) -> None:
        self.waiting: list[Tensor] = []
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
            values, self.waiting = torch.stack(self.waiting).flatten().tolist(), []
            self._logs = np.append(self._logs, values)[-self.max_length:]
            self._counts = np.append(self._counts, np.ones(len(values), int))[-self.max_length:]
