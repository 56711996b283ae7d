"""Faults of mmengine's and PyTorch's data set wrappers."""

import operator
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from .replacing import replace

_outer_place: ContextVar[int | None] = ContextVar('outer_place', default=None)


def apply() -> None:
    """Mends what is below, each only where it is present."""
    tell_outer_place()
    pass_categories_on()


def place_in_epoch(index: int, length: int) -> int:
    """The place of a sample in an epoch of one or several passes; `index.number` is that of the pass, 0 if not given.

    Args:
        index (int): Index into a data set, from the end if negative.
        length (int): Length of the data set.
    """
    return int(operator.index(index) % length + length * getattr(index, 'number', 0))


def outer_place() -> tuple[int, ...]:
    """The place, in the outermost wrapper, of the sample that is being read; empty outside of wrappers."""
    place = _outer_place.get()
    return () if place is None else (place, )


def tell_outer_place() -> None:
    """mmengine and torch (all versions): a data set in a wrapper learns its own index only.

    What is drawn from (seed, epoch, index) is then the same in all repetitions of a video, and in two data sets that
    are joined. The outermost of mmengine's and torch's wrappers says here what it was asked for, see
    :func:`outer_place`. No date to go.
    """
    from mmengine.dataset import dataset_wrapper
    from torch.utils.data import ConcatDataset, Subset

    def make(original: Callable) -> Callable:
        def getitem(self: Any, idx: Any) -> Any:
            if _outer_place.get() is not None or not hasattr(idx, '__index__'):  # a list of indices
                return original(self, idx)
            token = _outer_place.set(place_in_epoch(idx, len(self)))
            try:
                return original(self, idx)
            finally:
                _outer_place.reset(token)
        return getitem

    def make_batched(original: Callable) -> Callable:
        def getitems(self: Any, indices: Any) -> Any:
            if isinstance(self.dataset, Subset) or not hasattr(self.dataset, '__getitems__'):
                return [self[index] for index in indices]
            return original(self, indices)
        return getitems

    for wrapper in (dataset_wrapper.ConcatDataset, dataset_wrapper.RepeatDataset, dataset_wrapper.ClassBalancedDataset,
                    ConcatDataset, Subset):
        replace(wrapper, '__getitem__', make)
    replace(Subset, '__getitems__', make_batched)


def pass_categories_on() -> None:
    """mmengine (all versions): ``ClassBalancedDataset`` asks for categories, which two other wrappers do not pass on.

    Goes when mmengine's ``ConcatDataset`` and ``RepeatDataset`` have ``get_cat_ids``.
    """
    from mmengine.dataset import ConcatDataset, RepeatDataset

    def of_one_of_several(self: Any, idx: int) -> list[int]:
        part, idx = self._get_ori_dataset_idx(idx)
        return self.datasets[part].get_cat_ids(idx)

    def of_repeated(self: Any, idx: int) -> list[int]:
        return self.dataset.get_cat_ids(self._get_ori_dataset_idx(idx))

    for wrapper, get_cat_ids in ((ConcatDataset, of_one_of_several), (RepeatDataset, of_repeated)):
        if not hasattr(wrapper, 'get_cat_ids'):
            wrapper.get_cat_ids = get_cat_ids
