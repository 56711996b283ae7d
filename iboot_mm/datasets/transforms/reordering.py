"""The same views with their frames in other orders."""

from collections.abc import Sequence

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from .randomness import SHUFFLE_TAG, view_rng

ORDERS = ('forward', 'reversed', 'shuffled', 'frozen')


@TRANSFORMS.register_module()
class ReorderFrames(BaseTransform):
    """Show each view once per order: V views become O V, all views of the first order first.

    For :class:`~iboot_mm.evaluation.OrderSensitivityMetric`. 'forward' leaves a view as it is, 'reversed' plays it
    backwards, 'shuffled' permutes its frames at random (a function of its seed), 'frozen' repeats the middle one,
    frame T // 2.

    Required keys: `imgs` uint8 (V, T, H, W, 3), `view_seeds` (V), hence after `CropViews`.
    Changed keys: `imgs` (O V, T, H, W, 3), `view_seeds` (O V).

    Args:
        orders (Sequence[str]): O of the four.

    Raises:
        ValueError: For an unknown order.
    """

    def __init__(self, orders: Sequence[str] = ORDERS) -> None:
        unknown = [order for order in orders if order not in ORDERS]
        if unknown or not orders:
            raise ValueError(f'ReorderFrames: orders are some of {", ".join(ORDERS)}, got {list(orders)}.')
        self.orders = tuple(orders)

    def transform(self, results: dict) -> dict:
        """See the class."""
        imgs, seeds = results['imgs'], list(results['view_seeds'])
        results['imgs'] = np.concatenate([
            np.stack([view[frame_order(order, len(view), seed)] for view, seed in zip(imgs, seeds, strict=True)])
            for order in self.orders])
        results['view_seeds'] = seeds * len(self.orders)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(orders={self.orders})'


def frame_order(order: str, length: int, seed: int) -> np.ndarray:
    """Which frame stands at each of `length` places, int64 (T,)."""
    forward = np.arange(length)
    if order == 'reversed':
        return forward[::-1]
    if order == 'shuffled':
        return view_rng(seed, SHUFFLE_TAG).permutation(length)
    return np.full_like(forward, length // 2) if order == 'frozen' else forward
