"""iBoot-MM: image-bootstrapped self-supervised video representation learning for MMAction2.

``custom_imports = dict(imports=['iboot_mm'])`` in a config is all that a stock MMAction2 launcher needs: importing
the package checks the versions around it, mends what upstream breaks (:mod:`iboot_mm.compat`) and registers the
components. Nothing else happens on import.
"""

from . import compat

compat.check_versions()
compat.apply()

from . import datasets, engine, evaluation, models  # noqa: E402
from .inference import load  # noqa: E402
from .pretraining import pretrain  # noqa: E402
from .version import __version__  # noqa: E402

__all__ = ['compat', 'datasets', 'engine', 'evaluation', 'load', 'models', 'pretrain', '__version__']
