"""Warns when the student's features shrink to one direction."""

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.runner import Runner

from ...ranges import at_least, in_unit_interval

PREFIX = 'train/spread_'


@HOOKS.register_module()
class CollapseAlarmHook(Hook):
    """Warns once when the student's spread falls under a share of the teacher's, and again if it recovers and falls.

    The spread of unit features is ``sqrt(1 - |mean|^2)``, in [0, 1]: 0 when all videos have the same feature. The
    model logs ``spread_student`` and, if it has targets, one ``spread_<teacher>`` for each. A momentum copy collapses
    together with its student, hence ``least``.

    Example:
        >>> custom_hooks = [dict(type='CollapseAlarmHook', share=.5)]

    Args:
        share: Alarm below this share of the teachers' spread (of the narrowest, if there are several), in [0, 1].
        least: Alarm below this spread in any case, in [0, 1].
        window: Iterations over which both are averaged, and between two looks.
    """

    def __init__(self, share: float = .5, least: float = .05, window: int = 50) -> None:
        in_unit_interval('CollapseAlarmHook', share=share, least=least)
        at_least(1, 'CollapseAlarmHook', window=window)
        self.share = share
        self.least = least
        self.window = window
        self.alarmed = False

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None,
                         outputs: dict | None = None) -> None:
        """Compares the spreads of the last ``window`` iterations."""
        if not self.every_n_train_iters(runner, self.window):
            return
        spreads = mean_spreads(runner.message_hub, self.window)
        student = spreads.pop('student', None)
        if student is None:
            return
        name, teacher = min(spreads.items(), key=lambda item: item[1], default=('', 0.))
        collapsed = student < max(self.share * teacher, self.least)
        if collapsed and not self.alarmed:
            # A momentum copy is no teacher whose targets could be normalised.
            cure = '' if name == 'momentum' else "model.target_norm='standardize' or "
            compared = (f'under {self.share:g} of the {teacher:.3f} of target {name!r}: the loss may be met by '
                        f'predicting the mean feature; try {cure}a lower learning rate'
                        if student < self.share * teacher else
                        f'under {self.least:g}: nearly all videos have one feature; try a lower learning rate')
            runner.logger.warning(f"collapse alarm: over the last {self.window} iterations the student's features "
                                  f'spread {student:.3f}, {compared}')
        self.alarmed = collapsed


def mean_spreads(message_hub: MessageHub, window: int) -> dict[str, float]:
    """Mean of each logged spread over the last ``window`` iterations, by name (``student`` or a target's)."""
    return {key.removeprefix(PREFIX): float(buffer.mean(window))
            for key, buffer in message_hub.log_scalars.items() if key.startswith(PREFIX)}
