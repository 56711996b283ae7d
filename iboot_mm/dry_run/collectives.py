"""What the processes of a step exchange."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import mmengine.dist.dist as mmengine_dist
import torch
import torch.distributed as dist
from mmengine.model import convert_sync_batchnorm
from torch import Tensor, nn
from torch._C._distributed_c10d import FakeWork
from torch._ops import OpOverload
from torch.testing._internal.distributed.fake_pg import FakeStore
from torch.utils._pytree import tree_leaves

from ..engine.model_wrapper import DistributedPretrainer, group_bn
from ..models.modules.batch_norm import without_waits
from .memory import sizes
from .watch import Observer, place

NAMES = dict(allreduce_='all-reduce', _allgather_base_='all-gather', allgather_='all-gather', broadcast_='broadcast',
             _reduce_scatter_base_='reduce-scatter', reduce_scatter_='reduce-scatter', alltoall_='all-to-all',
             alltoall_base_='all-to-all', reduce_='reduce', gather_='gather', scatter_='scatter')
SYNC_BN = ('torch/nn/modules/_functions.py', 'iboot_mm/models/modules/batch_norm.py')
FIRST_BUCKET, BUCKET = 2 ** 20, 25 * 2 ** 20  # bytes, those of DistributedDataParallel


@dataclass(frozen=True)
class Collective:
    """One kind of exchange: what asks for it, how, and the bytes of what each process has in the end."""

    cause: str
    kind: str
    bytes: int


class CollectiveTrace(Observer):
    """Counts exchanges, which reach nobody."""

    def __init__(self) -> None:
        self.found: Counter[Collective] = Counter()

    def answer(self, func: OpOverload, args: tuple, kwargs: dict) -> object:
        if func.namespace != 'c10d':
            return NotImplemented
        name = func._schema.name.split('::')[1]
        if name not in NAMES:
            raise NotImplementedError(f'the dry run does not know the collective {name}')
        ours = [leaf for leaf in tree_leaves(args[0]) if isinstance(leaf, Tensor)]
        cause = 'SyncBN' if _asked_by_sync_bn() else place()[1] or place()[0]
        self.found[Collective(cause, NAMES[name], sizes(ours))] += 1
        work = FakeWork().boxed()
        return work if len(func._schema.returns) == 1 else (args[0], work)

    def restart(self) -> None:
        """Begins anew."""
        self.found.clear()

    def repeat(self, times: int) -> None:
        """All so far is done so often in a step."""
        for collective in self.found:
            self.found[collective] *= times

    def exchange_of_gradients(self, parameters: Sequence[Tensor]) -> None:
        """One all-reduce for each of ``DistributedDataParallel``'s buckets."""
        parameters = list(reversed(parameters))
        if parameters:
            buckets, _ = dist._compute_bucket_assignment_by_size(parameters, [FIRST_BUCKET, BUCKET])
            for bucket in buckets:
                self.found[Collective('gradients', 'all-reduce', sizes(parameters[i] for i in bucket))] += 1


def seconds(collective: Collective, ranks: int, link: float, latency: float = 2e-5) -> float:
    """Time of an exchange in a ring.

    Args:
        collective: The exchange.
        ranks: How many take part.
        link: Bytes/s in one direction.
        latency: Of each exchange, s.
    """
    if ranks == 1:
        return 0.
    passes = 2 if collective.kind == 'all-reduce' else 1
    return latency + passes * (ranks - 1) / ranks * collective.bytes / link


def _asked_by_sync_bn() -> bool:
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.endswith(SYNC_BN):
            return True
        frame = frame.f_back
    return False


@contextmanager
def ranks(number: int) -> Iterator[None]:
    """This process as the first of so many; mmengine takes the group for NCCL's.

    Raises:
        RuntimeError: processes are joined already.
    """
    if number == 1:
        yield
        return
    if dist.is_initialized():
        raise RuntimeError('a dry run makes its own processes: leave the launcher out')
    hook = sys.excepthook  # torch puts the rank before each line of an error, once more each time
    dist.init_process_group('fake', rank=0, world_size=number, store=FakeStore())
    try:
        with mock.patch.object(mmengine_dist, 'get_comm_device', lambda group=None: torch.device('cuda', 0)):
            yield
    finally:
        dist.destroy_process_group()
        sys.excepthook = hook


class FakeDistributed(DistributedPretrainer):
    """The distributed wrapper without its reducer: it tells whether gradients are exchanged now.

    Args:
        module: The model.
        sync_bn: As the wrapper's.
        bn_group: As the wrapper's.
    """

    def __init__(self, module: nn.Module, sync_bn: bool = False, bn_group: int | None = None) -> None:
        nn.Module.__init__(self)
        if sync_bn:
            module = convert_sync_batchnorm(module, 'torch')
        without_waits(module)
        if bn_group is not None:
            group_bn(module, bn_group)
        self.module = module
        self.detect_anomalous_params = False
        self.exchanges = self.exchanges_next = True

    def forward(self, *args: Any, **kwargs: Any) -> object:
        self.exchanges_next = self.exchanges  # the forward pass decides it, as in torch's
        return self.module(*args, **kwargs)

    def train(self, mode: bool = True) -> 'FakeDistributed':
        return nn.Module.train(self, mode)

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        before, self.exchanges = self.exchanges, False
        try:
            yield
        finally:
            self.exchanges = before
