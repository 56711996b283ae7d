"""Which versions of the packages around it iBoot-MM runs with."""

import importlib.metadata

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
        found = installed_version(package)
        wanted = f'{package}>={lowest}' + (f',<{limit}' if limit else '')
        if found is None:
            raise ImportError(f"iboot_mm needs {package}: pip install '{wanted}'")
        if not _within(found, lowest, limit):
            raise ImportError(f"iboot_mm does not support {package} {found} ({why}): pip install '{wanted}'")
    lowest, limit = MMCV_BOUNDS
    mmcv = {name: found for name in ('mmcv', 'mmcv-lite') if (found := installed_version(name)) is not None}
    if not mmcv:
        raise ImportError(f"iboot_mm needs mmcv or mmcv-lite: pip install 'mmcv-lite>={lowest},<{limit}'")
    for name, found in mmcv.items():
        if not _within(found, lowest, limit):
            raise ImportError(f'iboot_mm does not support {name} {found} (MMAction2 1.2.0 refuses it): '
                              f"pip install '{name}>={lowest},<{limit}'")


def installed_version(package: str) -> Version | None:
    try:
        return Version(importlib.metadata.version(package))
    except importlib.metadata.PackageNotFoundError:
        return None


def _within(found: Version, lowest: str, limit: str | None) -> bool:
    # A local or pre-release build of a supported version (2.14.1+cu130, 2.15.0a0) counts as that version.
    base = Version(found.base_version)
    return base >= Version(lowest) and (limit is None or base < Version(limit))
