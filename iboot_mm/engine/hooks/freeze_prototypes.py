"""Leaves SwAV's prototypes as they are at first."""

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from ...ranges import at_least
from ..model_wrapper import unwrap


@HOOKS.register_module()
class FreezePrototypesHook(Hook):
    """Keeps ``model.prototypes`` as they are for the first epochs (SwAV, appendix A; study, appendix B.1: one).

    Example:
        >>> custom_hooks = [dict(type='FreezePrototypesHook', epochs=1)]

    Args:
        epochs: Number of epochs.
    """

    def __init__(self, epochs: int = 1) -> None:
        at_least(0, 'FreezePrototypesHook', epochs=epochs)
        self.epochs = epochs

    def before_train(self, runner: Runner) -> None:
        """Refuses a model without prototypes, and a loop in which the first epoch never ends.

        Raises:
            ValueError: the model has none, or training is counted in iterations.
        """
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise ValueError('FreezePrototypesHook counts epochs, and train_cfg does not: use GlobalBatchTrainLoop')
        if not hasattr(unwrap(runner.model), 'prototypes'):
            raise ValueError('FreezePrototypesHook found no prototypes: it is for VideoSwAV; remove it from '
                             'custom_hooks')

    def before_train_epoch(self, runner: Runner) -> None:
        """Freezes or thaws them."""
        unwrap(runner.model).prototypes.frozen = runner.epoch < self.epochs
