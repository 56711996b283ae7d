"""Stops a run whose loss or weights are no longer numbers, before a bad checkpoint is written."""

import torch
from mmaction.registry import HOOKS
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner, find_latest_checkpoint
from torch import nn

from ...ranges import at_least
from .checkpoint import saves_after_this_step

NEVER = 2**62


@HOOKS.register_module()
class NaNStopHook(Hook):
    """Stops all processes together when a loss, or a weight that is about to be saved, is NaN or infinite.

    The first bad iteration is noted on the device and read every ``interval`` iterations, at the end of an epoch and
    before a checkpoint. The last good checkpoint stays as it is.

    Priority LOW: after the logger has printed the iteration, before ``CheckpointHook`` (VERY_LOW) saves.

    Example:
        >>> custom_hooks = [dict(type='NaNStopHook')]

    Args:
        interval: Iterations between two looks.
    """

    priority = 'LOW'

    def __init__(self, interval: int = 20) -> None:
        at_least(1, 'NaNStopHook', interval=interval)
        self.interval = interval
        self.first_bad: torch.Tensor | None = None  # on the loss's device, NEVER while all is well
        self.masks: set[str] = set()

    def before_train(self, runner: Runner) -> None:
        """Notes buffers that are infinite by design, such as attention masks."""
        self.masks = {name for name, buffer in runner.model.named_buffers()
                      if buffer.is_floating_point() and not torch.isfinite(buffer).all()}

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None,
                         outputs: dict | None = None) -> None:
        """Notes a bad loss; stops at every ``interval``-th iteration and before a checkpoint."""
        loss = outputs['loss'].detach()
        if self.first_bad is None:
            self.first_bad = torch.full((), NEVER, dtype=torch.int64, device=loss.device)
        bad = torch.where(torch.isfinite(loss).all(), NEVER, runner.iter + 1)
        self.first_bad = torch.minimum(self.first_bad, bad)
        saves = saves_after_this_step(runner)
        if saves or self.every_n_train_iters(runner, self.interval):
            self._stop_if_bad(runner, runner.iter + 1, look_at_weights=saves)

    def after_train_epoch(self, runner: Runner) -> None:
        """Looks at losses and weights before a checkpoint of this epoch may be written."""
        self._stop_if_bad(runner, runner.iter, look_at_weights=True)

    def _stop_if_bad(self, runner: Runner, iteration: int, look_at_weights: bool) -> None:
        first_bad = self.first_bad.clone() if self.first_bad is not None else torch.tensor(NEVER)
        if look_at_weights and not self._all_finite(runner.model):
            # The loss is measured before the step: the last step before a checkpoint can spoil the weights unseen.
            first_bad = first_bad.clamp(max=iteration)
        all_reduce(first_bad, 'min')  # one rank's NaN reaches the others only with the next loss
        if int(first_bad) == NEVER:
            return
        good = find_latest_checkpoint(runner.work_dir)
        peak = max(group.get('initial_lr', group['lr']) for group in runner.optim_wrapper.optimizer.param_groups)
        if (runner.auto_scale_lr or {}).get('enable', False):
            peak = runner.cfg.optim_wrapper.optimizer.lr  # which is scaled again
        raise FloatingPointError(
            f'the loss or the weights became NaN or infinite at iteration {int(first_bad)} (epoch {runner.epoch + 1}): '
            f'training stopped, ' + (f'the last good checkpoint is {good}' if good else 'no checkpoint existed yet')
            + f'; lower the learning rate (--resume --cfg-options optim_wrapper.optimizer.lr={peak / 2:g}) or lengthen '
            'the warm-up (end of the first and begin of the second param_scheduler), then --resume')

    def _all_finite(self, model: nn.Module) -> bool:
        buffers = [buffer for name, buffer in model.named_buffers() if name not in self.masks]
        tensors = [tensor for tensor in [*model.parameters(), *buffers] if tensor.is_floating_point()]
        # A norm is finite exactly if all its parts are (but for overflow, which is no healthy weight either).
        norms = torch.stack([norm.float() for norm in torch._foreach_norm(tensors)])
        return bool(torch.isfinite(norms).all())
