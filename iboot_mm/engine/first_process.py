"""Long work that one process does for all."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import torch
from mmengine.dist import broadcast_object_list, get_world_size, is_main_process

Result = TypeVar('Result')


def from_first_process(compute: Callable[[], Result]) -> Result:
    """What ``compute`` gives in the first process, known to all.

    The others wait as long as it takes: NCCL's processes would give up after ten minutes, which linear classifiers on
    the features of Kinetics take, so they wait in a group of their own.
    """
    if get_world_size() == 1:
        return compute()
    patient = torch.distributed.new_group(backend='gloo', timeout=timedelta(days=7))
    result = [compute() if is_main_process() else None]
    broadcast_object_list(result, group=patient)
    torch.distributed.destroy_process_group(patient)
    return result[0]
