"""Counts the videos that a run could not read, and stops when there are too many."""

from collections.abc import Sequence

from mmaction.registry import HOOKS
from mmengine.dataset import RepeatDataset
from mmengine.dist import all_gather_object, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import Dataset

from ..loops import loaders_of


@HOOKS.register_module()
class UnreadableVideosHook(Hook):
    """Logs each unreadable video once, with its path and reason, and stops a run that has too many of them.

    The data set has put another video in its place and noted that in the sample's metainfo (see `VideoFolder`). Videos
    are counted over all processes, by path, for training, validation and test apart.

    A run stops when more than `max_share` of a data set's videos cannot be read. One single unreadable video never
    stops a run, however small the data set, unless `max_share` is 0.

    Args:
        max_share (float): Greatest tolerated share, in [0, 1].
        interval (int): With several processes, iterations between the exchanges of what they found; there is one more
            at the end of each epoch.

    Raises:
        RuntimeError: In training, validation or test, past `max_share`.

    Example:
        >>> custom_hooks = [dict(type='UnreadableVideosHook', max_share=.05)]
    """

    priority = 'NORMAL'

    def __init__(self, max_share: float = .05, interval: int = 50) -> None:
        if not 0 <= max_share <= 1 or interval < 1:
            raise ValueError('UnreadableVideosHook: max_share must lie in [0, 1] and interval be at least 1, got '
                             f'{max_share} and {interval}.')
        self.max_share = max_share
        self.interval = interval
        self._found: dict[str, dict[str, str]] = {'train': {}, 'val': {}, 'test': {}}  # split -> path -> reason
        self._new: dict[str, list[tuple[str, str]]] = {'train': [], 'val': [], 'test': []}

    def _after_iter(self, runner: Runner, batch_idx: int, data_batch: dict | tuple | list | None = None,
                    outputs: Sequence | dict | None = None, mode: str = 'train') -> None:
        for batch in data_batch if isinstance(data_batch, tuple) else (data_batch,):  # one of each loader
            for sample in batch.get('data_samples') or [] if isinstance(batch, dict) else []:
                self._new[mode] += [tuple(pair) for pair in getattr(sample, 'unreadable', [])]
        # All processes come here equally often, so this exchange cannot leave one waiting.
        if get_world_size() == 1 or (batch_idx + 1) % self.interval == 0:
            self._exchange(runner, mode)

    def after_train_epoch(self, runner: Runner) -> None:
        """Count at the end of an epoch."""
        self._after_epoch_of(runner, 'train')

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Count at the end of a validation."""
        self._after_epoch_of(runner, 'val')

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Count at the end of a test, those too that an earlier part of it has stored (see `FeatureLoop`)."""
        self._new['test'] += getattr(runner.test_loop, 'unreadable', [])
        self._after_epoch_of(runner, 'test')

    def _after_epoch_of(self, runner: Runner, mode: str) -> None:
        self._exchange(runner, mode)
        if self._found[mode]:
            # As information: mmengine drops a warning that repeats an earlier one.
            runner.logger.info(f'{len(self._found[mode])} of {_num_videos(runner, mode)} videos ({mode}) could not be '
                                  'read so far; others stood in for them.')

    def _exchange(self, runner: Runner, mode: str) -> None:
        """Bring together what all processes found; log what is new; stop past the share."""
        gathered = all_gather_object(self._new[mode])
        self._new[mode] = []
        found = self._found[mode]
        before = len(found)
        for path, reason in (pair for pairs in gathered for pair in pairs):
            if path not in found:
                found[path] = reason
                runner.logger.warning(f'Unreadable video ({mode}): {path}: {reason}; another one stands in for it.')
        total = _num_videos(runner, mode)
        if len(found) > before and len(found) > max(self.max_share * total, 1 if self.max_share else 0):
            raise RuntimeError(f'{len(found)} of the {total} videos ({mode}) cannot be read, more than the tolerated '
                               f'share of {self.max_share:.1%}: mend or remove those listed in the log, or raise '
                               '`max_share` of UnreadableVideosHook.')


def _num_videos(runner: Runner, mode: str) -> int:
    """Videos in the data sets of a loop, pictures beside them included; one that is repeated counts once."""
    return sum(_unrepeated_length(loader.dataset) for loader in loaders_of(getattr(runner, f'{mode}_loop')))


def _unrepeated_length(dataset: Dataset) -> int:
    while isinstance(dataset, RepeatDataset):
        dataset = dataset.dataset
    return len(dataset)
