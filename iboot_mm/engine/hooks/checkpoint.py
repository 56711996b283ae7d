"""Checkpoints that survive a kill at any moment."""

from pathlib import Path
from typing import Any

from mmaction.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from ...compat.resuming import check_meta
from ...stores.atomic_files import AtomicLocalBackend, remove_leftovers
from ...stores.run_lock import lock_run
from ..resuming import adopt, describe_run


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook``, made safe against kills.

    Checkpoint and ``last_checkpoint`` are each written whole or not at all, and an old checkpoint goes only after the
    pointer to the new one stands; mmengine's hook deletes first and writes in place, so a kill can leave nothing to
    resume from. A checkpoint never holds the teacher, and a work dir one training at a time.

    Example:
        >>> default_hooks = dict(checkpoint=dict(type='AtomicCheckpointHook', interval=1, max_keep_ckpts=3))

    Args:
        backend_args: As in ``CheckpointHook``; None writes local files atomically, a remote ``out_dir`` needs its own.
        **kwargs: As in ``CheckpointHook``.
    """

    def __init__(self, backend_args: dict | None = None, **kwargs: Any) -> None:
        if backend_args is None and '://' not in str(kwargs.get('out_dir')):
            backend_args = dict(backend='atomic')
        super().__init__(backend_args=backend_args, **kwargs)

    def before_train(self, runner: Runner) -> None:
        """Clears what a killed run left half written, and all but the newest ``max_keep_ckpts`` that it listed.

        Raises:
            RuntimeError: another training writes to this work dir.
        """
        self.lock = lock_run(runner.work_dir) if is_main_process() else None
        super().before_train(runner)
        if is_main_process():
            for folder in {str(runner.work_dir), str(self.out_dir)}:
                if Path(folder).is_dir():
                    remove_leftovers(folder, '*.pth')
                    remove_leftovers(folder, 'last_checkpoint')
        if self.max_keep_ckpts > 0:
            self.keep_ckpt_ids = list(self.keep_ckpt_ids)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None,
                         outputs: dict | None = None) -> None:
        """Saves inside an epoch, at the end of the optimizer step in which an interval ends."""
        if self.saves_now(runner):
            runner.logger.info(f'Saving checkpoint at {runner.iter + 1} iterations')
            self._save_checkpoint(runner)

    def after_run(self, runner: Runner) -> None:
        """Lets go of the work dir."""
        self.lock = None

    def saves_now(self, runner: Runner) -> bool:
        """Whether a checkpoint is written after this iteration, which may be inside an epoch."""
        if self.by_epoch or not runner.optim_wrapper.should_update():
            return False  # in the middle of a step, its gradients would be lost
        done = runner.iter + 1 - self.save_begin
        step = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        return (self.interval > 0 and done >= 0 and done % self.interval < step
                or self.save_last and self.is_last_train_iter(runner))

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Puts a checkpoint that is resumed from into the units and settings of this run.

        Raises:
            ValueError: the file does not say where its training run stood, or this is another run: see
                :func:`~iboot_mm.engine.resuming.adopt`.
        """
        if not runner._resume:
            return
        if not {'meta', 'message_hub', 'optimizer'} <= checkpoint.keys():
            raise ValueError(f'{runner._load_from} holds weights, not a training run to resume: to start from them set '
                             'load_from in the config and leave --resume out')
        check_meta(checkpoint, runner._load_from)
        adopt(runner, checkpoint)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Notes what its run was; refuses to save a teacher.

        Raises:
            RuntimeError: a key of the model belongs to a teacher.
        """
        leaked = [key for key in checkpoint['state_dict'] if key.split('.')[0] in ('teacher', 'teachers')]
        if leaked:
            raise RuntimeError(f'the checkpoint would hold the teacher ({len(leaked)} keys, as {leaked[0]!r}): keep '
                               'teachers out of nn.Module attributes')
        checkpoint['meta']['run'] = describe_run(runner)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        outdated = self._list_step(runner, step)
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir, name, self.file_client_args, save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler, meta=meta, by_epoch=self.by_epoch,
            backend_args=self.backend_args, **self.args)
        if is_main_process():
            AtomicLocalBackend().put_text(self.last_ckpt, Path(runner.work_dir) / 'last_checkpoint')
            for old in outdated:
                self._remove(self.file_backend.join_path(self.out_dir, self.filename_tmpl.format(old)))

    def _list_step(self, runner: Runner, step: int) -> list[int]:
        """Notes ``step``; returns the steps that may go once it is saved.

        The list inside the checkpoint still names them, so a run that is killed before they are gone removes them
        when it resumes.
        """
        if self.max_keep_ckpts <= 0:
            return []
        if step not in self.keep_ckpt_ids:  # the best checkpoint of an epoch saves the epoch a second time
            self.keep_ckpt_ids.append(step)
        runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        outdated = self.keep_ckpt_ids[:-self.max_keep_ckpts]
        del self.keep_ckpt_ids[:-self.max_keep_ckpts]
        return outdated

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        """Saves a new best checkpoint, then removes the one before; mmengine's order is the other way round."""
        backend = self.file_backend
        self.file_backend = _KeepsFiles(backend)
        try:
            super()._save_best_checkpoint(runner, metrics)
            outdated = self.file_backend.removed
        finally:
            self.file_backend = backend
        for path in outdated:
            self._remove(path)

    def _remove(self, path: str) -> None:
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)


def saves_after_this_step(runner: Runner) -> bool:
    """Whether any hook of a run writes a checkpoint after this iteration, which may be inside an epoch."""
    return any(_saves_now(hook, runner) for hook in runner.hooks if isinstance(hook, CheckpointHook))


def _saves_now(hook: CheckpointHook, runner: Runner) -> bool:
    if isinstance(hook, AtomicCheckpointHook):
        return hook.saves_now(runner)
    return not hook.by_epoch and (hook.every_n_train_iters(runner, hook.interval, hook.save_begin)
                                  or (hook.save_last and hook.is_last_train_iter(runner)))


class _KeepsFiles:
    """A file backend that only notes what is to be removed."""

    def __init__(self, backend: object) -> None:
        self.backend = backend
        self.removed: list[str] = []

    def remove(self, path: str) -> None:
        self.removed.append(path)

    def __getattr__(self, name: str) -> object:
        return getattr(self.backend, name)
