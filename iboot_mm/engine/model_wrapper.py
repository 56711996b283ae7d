"""The distributed wrapper that works on GPUs and on CPUs."""

import inspect
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import broadcast, get_world_size
from mmengine.logging import print_log
from mmengine.model import MMDistributedDataParallel, convert_sync_batchnorm, is_model_wrapper, revert_sync_batchnorm
from mmengine.optim import OptimWrapper
from mmengine.registry import MODEL_WRAPPERS
from torch import Tensor, nn

from ..models.modules.batch_norm import without_waits

# torch 2.13 gave the argument a new name and warns about the old one.
BUFFERS_KEY = 'forward_sync_buffers' if 'forward_sync_buffers' in inspect.signature(
    nn.parallel.DistributedDataParallel.__init__).parameters else 'broadcast_buffers'


@MODEL_WRAPPERS.register_module()  # mmengine's root registry: its runner does not look for wrappers in mmaction's
class DistributedPretrainer(MMDistributedDataParallel):
    """mmengine's distributed wrapper, with processes on a CPU allowed, and methods that backpropagate several times.

    Those bring a ``train_step`` of their own (:class:`~iboot_mm.models.pretrainers.persistence.SequentialPretrainer`);
    gradients are exchanged in the last of their backward passes, once per optimizer step.

    torch's SyncBN refuses CPU tensors: there, plain BN takes its place, each process normalising over its own videos,
    and the log says so.

    Example:
        >>> model_wrapper_cfg = dict(type='DistributedPretrainer', sync_bn=True)

    Args:
        module: The model.
        device_ids: Device of this process; left out on a CPU.
        sync_bn: Turn BN into torch's SyncBN over all processes; as a config's ``sync_bn = 'torch'`` does.
        broadcast_buffers: Copy rank 0's buffers to all before each forward pass and before evaluation. None: only where
            BN is left plain, whose running statistics would differ by rank, so that validation would score another
            network than the one in the checkpoint; SyncBN and target statistics are equal on all ranks by themselves.
        bn_group: Processes whose SyncBN normalises together, neighbours in rank; None for all. The large-scale study
            takes 8 of 64. Running statistics then differ between the groups, and rank 0's are saved.
        gradient_as_bucket_view: Exchange gradients where they lie, not as copies: a model's size less memory.
        **kwargs: As in mmengine's ``MMDistributedDataParallel``.

    Raises:
        ValueError: ``static_graph=True`` for a method that backpropagates several times a step.
    """

    def __init__(self, module: nn.Module, device_ids: list[int] | None = None, sync_bn: bool = False,
                 broadcast_buffers: bool | None = None, bn_group: int | None = None,
                 gradient_as_bucket_view: bool = True, **kwargs: Any) -> None:
        if kwargs.get('static_graph') and hasattr(module, 'sub_loss'):
            raise ValueError('model_wrapper_cfg.static_graph=True wants one backward pass a step, and '
                             f'{type(module).__name__} has one for each clip: leave it out')
        on_cpu = all(p.device.type == 'cpu' for p in module.parameters())
        if on_cpu:
            device_ids = None  # torch: "device_ids can only be used with device modules"
            if sync_bn or any(isinstance(m, nn.SyncBatchNorm) for m in module.modules()):
                module = revert_sync_batchnorm(module)
                print_log('SyncBN needs GPUs: on this CPU each process normalises over its own videos (plain BN).',
                          logger='current')
        elif sync_bn:
            module = convert_sync_batchnorm(module, 'torch')
        without_waits(module)
        if bn_group is not None:
            group_bn(module, bn_group)
        if broadcast_buffers is None:
            broadcast_buffers = synchronises_bn(module) is False
        super().__init__(module=module, device_ids=device_ids, gradient_as_bucket_view=gradient_as_bucket_view,
                         **{BUFFERS_KEY: broadcast_buffers}, **kwargs)
        self._follows_rank_0 = broadcast_buffers or (bn_group or get_world_size()) < get_world_size()

    def train_step(self, data: dict | tuple | list, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """One optimizer step, by the model's own ``train_step`` where it backpropagates several times."""
        if hasattr(self.module, 'sub_loss'):
            return self.module.train_step(data, optim_wrapper, network=self)
        return super().train_step(data, optim_wrapper)

    def train(self, mode: bool = True) -> 'DistributedPretrainer':
        """Sets the mode; before evaluation the last step's buffers follow rank 0, too."""
        if not mode and self._follows_rank_0:
            for buffer in self.module.buffers():
                broadcast(buffer)
        return super().train(mode)


def unwrap(model: nn.Module) -> nn.Module:
    """The model inside a distributed wrapper, or the model itself."""
    return model.module if is_model_wrapper(model) else model


def group_bn(model: nn.Module, size: int) -> None:
    """Lets SyncBN normalise over groups of ``size`` neighbouring processes.

    Raises:
        ValueError: the processes cannot be divided so.
    """
    processes = get_world_size()
    if processes <= size:
        return  # all of them are one group
    if size < 1 or processes % size:
        raise ValueError(f'model_wrapper_cfg.bn_group={size} does not divide the {processes} processes: start a '
                         'multiple of it, or set bn_group=None for BN over all of them')
    group, _ = torch.distributed.new_subgroups(size)
    for module in model.modules():
        if isinstance(module, nn.SyncBatchNorm):
            module.process_group = group


def processes_of_bn(model: nn.Module) -> int | None:
    """How many processes the model's BN normalises over; None if none of it normalises by the batch."""
    synchronised = synchronises_bn(model)
    if not synchronised:
        return None if synchronised is None else 1
    groups = (m.process_group for m in model.modules() if isinstance(m, nn.SyncBatchNorm))
    return torch.distributed.get_world_size(next(groups))


def synchronises_bn(model: nn.Module) -> bool | None:
    """Whether the model's BN is synchronised over processes; None if none of it normalises by the batch."""
    # Frozen is what stays in evaluation mode while the model trains.
    bn = [m for m in model.modules()
          if isinstance(m, nn.modules.batchnorm._BatchNorm) and (m.training or not model.training)]
    if not bn:
        return None
    return any(isinstance(m, nn.SyncBatchNorm) for m in bn) and torch.distributed.is_initialized()


def wrap_on_cpu(cfg: Config) -> None:
    """Gives a config that names no wrapper the one above if its processes are to run on a CPU.

    mmengine's default wrapper asks for a CUDA device.
    """
    if get_device() == 'cpu' and cfg.launcher != 'none' and cfg.get('model_wrapper_cfg') is None:
        cfg.model_wrapper_cfg = dict(
            type='DistributedPretrainer', find_unused_parameters=cfg.get('find_unused_parameters', False))
