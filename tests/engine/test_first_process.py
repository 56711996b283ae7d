import time
from datetime import timedelta

import torch.distributed as dist

from iboot_mm.engine.first_process import from_first_process

from ..distributed import run_in_processes


def score_slowly(rank, world_size):
    def compute():
        assert rank == 0
        time.sleep(4)
        return dict(top1=.5)

    dist.barrier()  # processes start at unlike times, hence no short patience before
    dist.distributed_c10d._set_pg_timeout(timedelta(seconds=2), dist.group.WORLD)

    assert from_first_process(compute) == dict(top1=.5)


def test_processes_outwait_a_metric_that_takes_longer_than_their_groups_patience():
    run_in_processes(score_slowly, 2)
