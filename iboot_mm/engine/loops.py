"""The training loop: mmengine's, with the batch planned before anything is built."""

from typing import Any

from mmaction.registry import DATA_SAMPLERS, LOOPS
from mmengine.dist import get_world_size
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from .batch_plan import BatchPlan, check_use, plan_batch
from .samplers import EpochSampler
from .schedulers.optimizer_steps import count_optimizer_steps


@LOOPS.register_module()
class GlobalBatchTrainLoop(EpochBasedTrainLoop):
    """An epoch-based loop that keeps a recipe's global batch on any number of processes.

    ``train_dataloader.batch_size`` is the most videos that one process holds; the loop takes the largest batch that
    fits and accumulates the rest, so learning rate and schedule of the config hold as they stand. With
    ``auto_scale_lr.enable`` (the launcher's ``--auto-scale-lr``) the batch is what the config says, ``processes x
    batch_size x accumulative_counts``, and the learning rate is scaled by it over ``base_batch_size``; a resumed run
    scales it anew for its own batch.

    Schedules count optimizer steps, not forward passes, so the learning rate of a step is that of any other split.

    Example:
        >>> train_cfg = dict(type='GlobalBatchTrainLoop', max_epochs=200, global_batch=416)

    Args:
        runner: The runner.
        dataloader: Config of the dataloader; its sampler must be an ``EpochSampler`` or a kind of it.
        max_epochs: Epochs.
        global_batch: Videos per optimizer step; None takes what the config's batch size and accumulation give.
        **kwargs: As in mmengine's ``EpochBasedTrainLoop``.

    Raises:
        ValueError: the batch cannot be split, or the dataset does not fill one; says what to set.
    """

    def __init__(self, runner: Runner, dataloader: DataLoader | dict, max_epochs: int,
                 global_batch: int | None = None, **kwargs: Any) -> None:
        self.plan = self._plan(runner, dataloader, global_batch)
        super().__init__(runner, dataloader, max_epochs, **kwargs)
        runner.logger.info(f'Batch: {self.plan}.')
        steps = len(self.dataloader) // self.plan.accumulation
        self.schedules_count_steps = count_optimizer_steps(runner, steps, self._max_epochs)

    def _plan(self, runner: Runner, dataloader: DataLoader | dict, global_batch: int | None) -> BatchPlan:
        if not isinstance(dataloader, dict):
            raise ValueError('GlobalBatchTrainLoop plans the batch before the dataloader is built: give '
                             'train_dataloader as a config, not as an object')
        optim_wrapper = runner.optim_wrapper
        accumulation = optim_wrapper.get('accumulative_counts', 1)
        scales = bool((runner.auto_scale_lr or {}).get('enable', False))
        if scales or global_batch is None:
            plan = BatchPlan(get_world_size(), dataloader['batch_size'], accumulation)
        else:
            plan = plan_batch(global_batch, get_world_size(), dataloader['batch_size'])
            check_use(plan, dataloader['batch_size'])
            if optim_wrapper.get('accumulative_counts', plan.accumulation) != plan.accumulation:
                raise ValueError(
                    f'optim_wrapper.accumulative_counts={accumulation} contradicts train_cfg.global_batch='
                    f'{global_batch}, which is {plan}: leave it out, or set train_cfg.global_batch=None for a batch of '
                    f'{BatchPlan(plan.processes, dataloader["batch_size"], accumulation).global_batch}')
        sampler = dataloader.setdefault('sampler', dict(type='EpochSampler', shuffle=True))
        kind = sampler.get('type')
        kind = DATA_SAMPLERS.get(kind) if isinstance(kind, str) else kind
        if not (isinstance(kind, type) and issubclass(kind, EpochSampler)):
            raise ValueError(f"GlobalBatchTrainLoop needs train_dataloader.sampler of type 'EpochSampler', which keeps "
                             f"epochs to whole batches, or 'ShareSampler', not {sampler.get('type')!r}")
        # In place, before mmengine builds dataloader and optimizer from these configs.
        dataloader['batch_size'] = plan.per_process
        sampler['multiple_of'] = plan.global_batch
        optim_wrapper['accumulative_counts'] = plan.accumulation
        if scales and plan.accumulation > 1:
            # mmengine's own scaling, which follows, counts processes x batch size and forgets accumulation.
            optim_wrapper['optimizer']['lr'] *= plan.accumulation
            runner.logger.info(f'--auto-scale-lr: accumulation multiplies the learning rate by {plan.accumulation}.')
        return plan


    def run_epoch(self) -> None:
        """One epoch, or the rest of one that a checkpoint was taken inside of; the sampler skips what was shown."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        for idx, data_batch in enumerate(self.dataloader, self._iter - self._epoch * len(self.dataloader)):
            self.run_iter(idx, data_batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1


def loaders_of(loop: BaseLoop) -> list[DataLoader]:
    """All loaders of a training loop, the main one first; MMAction2's multi-loader loop has several."""
    return getattr(loop, 'multi_loaders', [loop.dataloader])
