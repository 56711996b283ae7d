"""Drives a momentum copy."""

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..model_wrapper import unwrap


@HOOKS.register_module()
class MomentumUpdateHook(Hook):
    """Moves ``model.momentum`` towards ``model.online`` after each optimizer step.

    With gradient accumulation, several iterations make one step. The first copy is made when training begins from
    step 0, after the network got its initial or loaded weights; a resumed copy is kept.

    Example:
        >>> custom_hooks = [dict(type='MomentumUpdateHook')]
    """

    def before_train(self, runner: Runner) -> None:
        """Makes the first copy and tells the momentum copy that it is driven.

        Raises:
            ValueError: the model has no momentum copy.
        """
        model = unwrap(runner.model)
        if getattr(model, 'momentum', None) is None:
            raise ValueError('MomentumUpdateHook found no momentum copy: set model.momentum=dict(base=.996) or remove '
                             'the hook from custom_hooks')
        if runner.iter == 0:
            model.momentum.copy_from(model.online)
        model.momentum.attached = True

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None,
                         outputs: dict | None = None) -> None:
        """Updates the copy if this iteration stepped the optimizer."""
        if runner.optim_wrapper.should_update():
            model = unwrap(runner.model)
            model.momentum.update(model.online, progress=(runner.iter + 1) / runner.max_iters)
