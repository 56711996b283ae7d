"""The one module that knows what upstream breaks.

Each entry names the fault, the versions it holds for and when it can go. :func:`apply` is idempotent and runs once,
when ``iboot_mm`` is imported.
"""

import importlib.metadata
import importlib.util
import sys
import types
from pathlib import Path

from packaging.version import Version

# package -> (lowest, first unsupported, why)
SUPPORTED = {
    'torch': ('2.6', None, 'older versions run code that a checkpoint carries'),
    'mmengine': ('0.10.7', None, 'older versions register an optimizer name twice on torch 2.5 and later'),
    'mmaction2': ('1.2.0', '2.0', 'the components are written for its 1.x registries'),
}
# MMAction2 1.2.0 asserts this upper bound on import; either distribution of mmcv serves.
MMCV_BOUNDS = ('2.0.0', '2.2.0')


def check_versions() -> None:
    """Checks the packages that iBoot-MM stands on.

    Raises:
        ImportError: a package is missing or its version is not supported; says which, and what to install.
    """
    for package, (lowest, limit, why) in SUPPORTED.items():
        found = _version(package)
        wanted = f'{package}>={lowest}' + (f',<{limit}' if limit else '')
        if found is None:
            raise ImportError(f"iboot_mm needs {package}: pip install '{wanted}'")
        if not _within(found, lowest, limit):
            raise ImportError(f"iboot_mm does not support {package} {found} ({why}): pip install '{wanted}'")
    lowest, limit = MMCV_BOUNDS
    mmcv = {name: found for name in ('mmcv', 'mmcv-lite') if (found := _version(name)) is not None}
    if not mmcv:
        raise ImportError(f"iboot_mm needs mmcv or mmcv-lite: pip install 'mmcv-lite>={lowest},<{limit}'")
    for name, found in mmcv.items():
        if not _within(found, lowest, limit):
            raise ImportError(f'iboot_mm does not support {name} {found} (MMAction2 1.2.0 refuses it): '
                              f"pip install '{name}>={lowest},<{limit}'")


def apply() -> None:
    """Mends the upstream faults below, each only where it is present."""
    _stub_missing_localizer()
    _allow_history_buffers()


def _version(package: str) -> Version | None:
    try:
        return Version(importlib.metadata.version(package))
    except importlib.metadata.PackageNotFoundError:
        return None


def _within(found: Version, lowest: str, limit: str | None) -> bool:
    # A local or pre-release build of a supported version (2.14.1+cu130, 2.15.0a0) counts as that version.
    base = Version(found.base_version)
    return base >= Version(lowest) and (limit is None or base < Version(limit))


def _stub_missing_localizer() -> None:
    """mmaction2 1.2.0: the wheel lacks ``models/localizers/drn`` and imports it, so no model can be built.

    Two stub modules stand in for it. Goes when a release ships the folder (mmaction2 issue 2714).
    """
    root = Path(importlib.util.find_spec('mmaction').origin).parent / 'models' / 'localizers'
    if (root / 'drn').is_dir():
        return
    package = types.ModuleType('mmaction.models.localizers.drn')
    package.__path__ = []
    module = types.ModuleType('mmaction.models.localizers.drn.drn')

    class DRN:
        """Stands in for the temporal-grounding model that mmaction2's wheel lacks."""

        def __init__(self, *args, **kwargs) -> None:
            raise NotImplementedError('DRN is missing from the mmaction2 wheel: install MMAction2 from source to use it')

    module.DRN = DRN
    sys.modules.setdefault(package.__name__, package)
    sys.modules.setdefault(module.__name__, module)


def _allow_history_buffers() -> None:
    """mmengine 0.10.7 on torch >= 2.6: resuming fails, because ``torch.load`` defaults to ``weights_only``.

    mmengine pickles its loss history as :class:`HistoryBuffer` objects, whose arrays need numpy's constructors and
    whose method tables are pickled through ``getattr``. These are declared safe; ``getattr`` itself never is, since a
    crafted file reaches module globals with it: a stand-in answers only for HistoryBuffer's own methods. Goes when
    mmengine stores plain data.
    """
    import numpy as np
    import torch
    from mmengine.logging import HistoryBuffer

    def history_buffer_getattr(owner, name):
        if owner is HistoryBuffer and name in ('min', 'max', 'current', 'mean'):
            return getattr(owner, name)
        raise ValueError(f'a checkpoint asked for the attribute {name!r} of {owner!r}: '
                         'only the statistics of HistoryBuffer may be restored from a file')

    multiarray = (np._core if hasattr(np, '_core') else np.core).multiarray  # numpy 2 renamed the module
    torch.serialization.add_safe_globals([
        HistoryBuffer, multiarray._reconstruct, multiarray.scalar, np.ndarray, np.dtype, np.dtypes.Float64DType, np.dtypes.Float32DType,
        np.dtypes.Int64DType, np.dtypes.BoolDType, (history_buffer_getattr, 'builtins.getattr')])
