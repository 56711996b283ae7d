"""How our launchers start a run."""

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from .allocator import keep_freed_memory
from .model_wrapper import wrap_on_cpu


def build_runner(cfg: Config) -> Runner:
    """The runner of a config: mmengine's, or the one that ``runner_type`` names, as with MMAction2's launchers.

    On a CPU the config gets a distributed wrapper for it, and the process keeps its memory.

    Raises:
        ValueError: no runner of that name is registered.
    """
    wrap_on_cpu(cfg)
    if get_device() == 'cpu':
        keep_freed_memory()
    kind = cfg.get('runner_type', 'Runner')
    runner = RUNNERS.get(kind)
    if runner is None:
        raise ValueError(f'runner_type={kind!r} is not registered in RUNNERS: name its module in custom_imports, or '
                         "leave runner_type out for mmengine's own runner")
    return runner.from_cfg(cfg)
