"""Config files, each read once."""

import copy
import functools
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope


@functools.cache
def _read(file: Path) -> Config:
    return Config.fromfile(file)


def load_config(file: Path) -> Config:
    """A config to build from, and to change as a test likes."""
    cfg = copy.deepcopy(_read(file))
    init_default_scope(cfg.default_scope)
    return cfg
