"""Faults of MMAction2 and mmpretrain on numpy 2."""

import contextlib
import importlib
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from .replacing import replace

# The modules that use a name which numpy 2.0 to 2.4 took away, all of those in the two wheels.
USERS = ('mmaction.datasets.transforms.pose_transforms', 'mmaction.evaluation.functional.accuracy',
         'mmaction.evaluation.functional.ava_evaluation.metrics', 'mmaction.evaluation.metrics.multimodal_metric',
         'mmaction.utils.misc', 'mmpretrain.evaluation.metrics.retrieval')


class OldNumpy(types.ModuleType):
    """numpy with the names that it had before 2.0."""

    Inf = np.inf
    NAN = np.nan

    @staticmethod
    def in1d(elements: Any, among: Any) -> Any:
        return np.isin(np.ravel(elements), among)

    @staticmethod
    def trapz(y: Any, x: Any=None, dx: Any=1., axis: Any=-1) -> Any:
        return getattr(np, 'trapezoid', getattr(np, 'trapz', None))(y, x, dx, axis)

    def __getattr__(self, name: str) -> object:
        return getattr(np, name)


def apply() -> None:
    """Mends what is below, each only where it is present."""
    give_back_old_names()
    turn_hues_backwards()
    explain_imgaug()


def give_back_old_names() -> None:
    """mmaction2 1.2.0 and mmpretrain 1.2.0 use ``np.Inf``, ``np.NAN``, ``np.in1d`` and ``np.trapz``.

    The modules that do get a numpy of their own that has them. They are not put into numpy itself: other packages ask
    it what it has to tell its version, and a script of the user's would run here and nowhere else. Goes when both use
    today's names.
    """
    if all(hasattr(np, name) for name in ('Inf', 'NAN', 'in1d', 'trapz')):
        return
    old = OldNumpy('numpy')
    for name in USERS:
        with contextlib.suppress(ImportError):  # mmpretrain may be missing, or be another release
            importlib.import_module(name).np = old


def turn_hues_backwards() -> None:
    """mmaction2 1.2.0: ``ColorJitter`` adds a negative number to uint8, which numpy 2 refuses: half of all samples.

    Older numpy did it, and wrapped at 256 where the hue goes over it (``hue`` above .3), which is mended, too. Goes
    when it adds integers.
    """
    import cv2
    from mmaction.datasets.transforms import ColorJitter

    def make(original: Callable) -> Callable:
        def adjust_hue(img: Any, factor: Any) -> Any:
            hsv = cv2.cvtColor(np.clip(img, 0, 255).astype(np.uint8), cv2.COLOR_RGB2HSV)
            hsv[..., 0] = (hsv[..., 0].astype(int) + int(factor * 255)) % 180  # OpenCV's degrees are 2 of a circle's
            return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).astype(np.float32)
        return adjust_hue

    replace(ColorJitter, 'adjust_hue', make)


def explain_imgaug() -> None:
    """mmaction2 1.2.0: ``ImgAug`` makes ``np.bool`` Python's, and imgaug, whose last release is of 2020, then fails.

    numpy's type is kept, and the error says what to do. Goes with either package.
    """
    from mmaction.datasets.transforms import ImgAug

    @contextlib.contextmanager
    def numpys_bool() -> None:
        kept = vars(np).get('bool')
        try:
            yield
        finally:
            if kept is not None:
                np.bool = kept

    def make(original: Callable) -> Callable:
        def init(self: Any, transforms: Any) -> None:
            try:
                with numpys_bool():
                    original(self, transforms)
            except AttributeError as error:
                if 'np.sctypes' not in str(error):
                    raise
                raise ImportError('ImgAug needs the package imgaug, which does not run on numpy 2: use other '
                                  "transforms, such as TorchVisionWrapper, or pip install 'numpy<2'") from error
        return init

    replace(ImgAug, '__init__', make)
