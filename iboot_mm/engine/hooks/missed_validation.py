"""Makes up for a validation that a stop cut off."""

from pathlib import Path

from mmaction.registry import HOOKS
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...stores.atomic_files import AtomicLocalBackend

NOTE = 'last_validation'


@HOOKS.register_module()
class MissedValidationHook(Hook):
    """Validates before a resumed run goes on, if its checkpoint is of an epoch whose validation never ended.

    An epoch's checkpoint is saved before its validation. ``last_validation`` in the work dir says after which epoch the
    last one ended; where nothing is said, it is done once more.

    Priority HIGH: the hook that sets the random streams of an epoch comes after it.

    Example:
        >>> custom_hooks = [dict(type='MissedValidationHook')]
    """

    priority = 'HIGH'

    def before_train(self, runner: Runner) -> None:
        """Notes whether the run is resumed at an epoch's end."""
        loop = runner.train_loop
        self.resumed = runner.epoch > 0 and runner.iter == runner.epoch * len(loop.dataloader)

    def before_train_epoch(self, runner: Runner) -> None:
        """Validates if that was missed."""
        self._make_up(runner)

    def after_train(self, runner: Runner) -> None:
        """Validates if the run had all its epochs before it was stopped."""
        self._make_up(runner)

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Notes that the validation ended."""
        if is_main_process() and getattr(self, 'resumed', None) is not None:  # else it is no training
            AtomicLocalBackend().put_text(str(runner.epoch), Path(runner.work_dir) / NOTE)

    def _make_up(self, runner: Runner) -> None:
        resumed, self.resumed = self.resumed, False
        if resumed and runner.val_loop is not None and _is_due(runner) and _last_validated(runner) < runner.epoch:
            runner.logger.info(f'The validation after epoch {runner.epoch} was cut off: it is done now.')
            runner.val_loop.run()


def _is_due(runner: Runner) -> bool:
    loop, epoch = runner.train_loop, runner.epoch
    return epoch >= loop.val_begin and (epoch % loop.val_interval == 0 or epoch == runner.max_epochs)


def _last_validated(runner: Runner) -> int:
    """By the first process's look at the disk, so that all agree."""
    note = Path(runner.work_dir) / NOTE
    text = note.read_text(errors='replace').strip() if is_main_process() and note.is_file() else ''
    found = [int(text) if text.isdecimal() and len(text) < 10 else 0]
    broadcast_object_list(found)
    return found[0]
