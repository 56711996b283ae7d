"""The one room that knows what upstream breaks, a file for each kind of fault.

Each entry names the fault, the versions it holds for and when it can go. :func:`apply` is idempotent and runs once,
when ``iboot_mm`` is imported.
"""

from . import (
    checkpoints,
    configs,
    data_loading,
    dataset_wrappers,
    heads,
    inferencer,
    mmaction,
    numpy2,
    partial_weights,
    processes,
    resuming,
    work_dirs,
)
from .archives import UnusableCheckpoint
from .configs import configs_folder
from .dataset_wrappers import outer_place, place_in_epoch
from .onnx import keep_pads_apart
from .versions import SUPPORTED, check_versions
from .work_dirs import latest_checkpoint

__all__ = ['SUPPORTED', 'UnusableCheckpoint', 'apply', 'check_versions', 'configs_folder', 'keep_pads_apart',
           'latest_checkpoint', 'outer_place', 'place_in_epoch']


def apply() -> None:
    """Mends the upstream faults of each file, each only where it is present."""
    for faults in (mmaction, heads, numpy2, configs, checkpoints, partial_weights, data_loading, processes,
                   dataset_wrappers, inferencer, resuming, work_dirs):
        faults.apply()
