"""Faults of mmengine in finding packages and the configs in them."""

import contextlib
import importlib.metadata
import importlib.util
from collections.abc import Callable
from pathlib import Path

from .replacing import replace
from .versions import installed_version


def apply() -> None:
    """Mends what is below, each only where it is present."""
    replace_pkg_resources()
    resolve_own_configs()


def replace_pkg_resources() -> None:
    """mmengine <= 0.10.7 with setuptools >= 82: ``_base_ = 'mmaction::...'`` fails, ``pkg_resources`` is gone.

    The two functions that use it get stand-ins on ``importlib.metadata``, with older setuptools too: there the import
    warns. Goes with the next release of mmengine.
    """
    import mmengine.config.config
    import mmengine.hub.hub
    import mmengine.utils

    def is_installed(package: str) -> bool:
        return installed_version(package) is not None or importlib.util.find_spec(package) is not None

    def get_installed_path(package: str) -> str:
        module = package
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            module = (importlib.metadata.distribution(package).read_text('top_level.txt') or package).split()[0]
        return str(Path(importlib.util.find_spec(module).origin).parent)

    for owner in (mmengine.utils, mmengine.utils.package_utils, mmengine.config.config, mmengine.hub.hub):
        for function in (is_installed, get_installed_path):
            if hasattr(owner, function.__name__):
                setattr(owner, function.__name__, function)


def configs_folder() -> Path:
    """Folder of this project's configs: in the checkout, or in ``.mim`` of an installed wheel."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / 'configs'
    return checkout if (package.parent / 'setup.py').is_file() else package / '.mim' / 'configs'


def resolve_own_configs() -> None:
    """mmengine <= 0.10.7: ``_base_ = 'iboot_mm::...'`` is refused, since a fixed list names the packages allowed.

    The list gets our name, and our paths are resolved here: mmengine's way needs a slash in the path and knows no
    editable install. It must be in place before a config is read: our launchers do that; ``custom_imports`` comes too
    late, so stock launchers take our files by path. Goes when mmengine looks packages up.
    """
    from mmengine.config import Config, utils
    utils.MODULE2PACKAGE.setdefault('iboot_mm', 'iboot_mm')

    def make(original: Callable) -> Callable:
        def get_cfg_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
            package, found, name = cfg_path.partition('::')
            if not (found and package == 'iboot_mm'):
                return original(cfg_path, filename)
            path = configs_folder() / name
            if not path.is_file():
                raise FileNotFoundError(f'{filename}: _base_ = {cfg_path!r} names no config in {configs_folder()}')
            return str(path), 'mmaction'  # the scope in which our components are registered
        return get_cfg_path

    replace(Config, '_get_cfg_path', make)
