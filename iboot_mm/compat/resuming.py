"""What mmengine 0.10.7 does with words from the checkpoint that it resumes: runs them, and deletes what they name."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .archives import UnusableCheckpoint
from .replacing import mended, replace

Count = Annotated[int, Field(ge=0, lt=1 << 53)]


class Progress(BaseModel):
    """Where a training run stood, under ``meta`` of its checkpoint."""

    model_config = ConfigDict(strict=True, extra='ignore')
    epoch: Count
    iter: Count
    seed: Count | None = None


def apply() -> None:
    """Mends what is below, each only where it is present."""
    refuse_configs_stored_in_weights()
    check_progress()
    delete_only_beside_new_checkpoints()


def without_code(checkpoint: object) -> object:
    """mmengine (all versions): ``resume`` runs the text ``meta['config']``, whoever wrote it, to ask for ``gpu_ids``.

    mmengine itself stores the text as ``meta['cfg']``, which nothing runs. Without the older entry it asks nothing; how
    many processes there were is then not compared. No date to go.
    """
    meta = checkpoint.get('meta') if isinstance(checkpoint, dict) else None
    if isinstance(meta, dict):
        meta.pop('config', None)
    return checkpoint


def refuse_configs_stored_in_weights() -> None:
    """mmengine (all versions): an inferencer that is given weights alone runs the text of the config inside them.

    No date to go.
    """
    from mmengine.infer import BaseInferencer

    def make(original: Callable) -> Callable:
        def _init_model(self: Any, cfg: Any, weights: Any, device: Any='cpu') -> Any:
            if not cfg:
                raise ValueError(f'{weights} carries its config as text that would have to be run, and a file of '
                                 'weights is never run: name the config too (model=...)')
            return original(self, cfg, weights, device)
        return _init_model

    replace(BaseInferencer, '_init_model', make)


def check_meta(checkpoint: dict, filename: object) -> None:
    """Refuses to resume from a checkpoint that does not say where its run stood, before anything counts on it.

    Raises:
        UnusableCheckpoint: names the file and the entry.
    """
    try:
        Progress.model_validate(checkpoint.get('meta'))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = '.'.join(map(str, ('meta', *first['loc'])))
        raise UnusableCheckpoint(
            f'{filename} does not say where its training stood ({place}: {first["msg"]}): to start from its weights '
            'set load_from and leave --resume out') from None


def check_progress() -> None:
    """mmengine (all versions): a file without progress, or with another run's parts, fails without its name.

    One sentence names the file instead. No date to go.
    """
    from mmengine.runner import Runner

    def make_resume(original: Callable) -> Callable:
        def resume(self: Any, filename: Any, *args: Any, **kwargs: Any) -> Any:
            self._resumes_from = str(filename)
            try:
                return original(self, filename, *args, **kwargs)
            except Exception as error:  # a state that fits nothing fails in any way
                if str(filename) in str(error):
                    raise
                reason = ' '.join(str(error).split())[:300]
                raise UnusableCheckpoint(
                    f'{filename} can not be resumed from ({type(error).__name__}: {reason}): give a checkpoint that a '
                    'training with this config wrote') from error
            finally:
                del self._resumes_from
        return resume

    def make_load(original: Callable) -> Callable:
        def load_checkpoint(self: Any, filename: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                checkpoint = original(self, filename, *args, **kwargs)
            except ValueError as error:  # of hooks and networks
                if str(filename) not in str(error):
                    raise
                raise UnusableCheckpoint(str(error)) from error
            if hasattr(self, '_resumes_from'):
                check_meta(checkpoint, filename)
            return checkpoint
        return load_checkpoint

    if not mended(Runner.resume):
        replace(Runner, 'resume', make_resume)
        replace(Runner, 'load_checkpoint', make_load)


def delete_only_beside_new_checkpoints() -> None:
    """mmengine (all versions): what a checkpoint calls its best and its outdated files is deleted, wherever it lies.

    A file from elsewhere could name any file or folder, and a copied work dir names those of the original. The best
    file is looked up by its name in the folder that this run writes to. No date to go.
    """
    from mmengine.hooks import CheckpointHook

    def make(original: Callable) -> Callable:
        def before_train(self: Any, runner: Any) -> None:
            ids = runner.message_hub.runtime_info.get('keep_ckpt_ids', [])
            if not all(isinstance(step, int) for step in ids):
                raise UnusableCheckpoint(f'{runner._load_from} lists something else than numbers as the checkpoints '
                                         'that it keeps')
            original(self, runner)
            if getattr(self, 'best_ckpt_path', None) is not None:
                self.best_ckpt_path = _inside(self.out_dir, self.best_ckpt_path)
            for name, path in getattr(self, 'best_ckpt_path_dict', {}).items():
                self.best_ckpt_path_dict[name] = None if path is None else _inside(self.out_dir, path)
        return before_train

    replace(CheckpointHook, 'before_train', make)


def _inside(folder: str | Path, path: object) -> str | None:
    """A best checkpoint of this name in a folder, if it is called as one."""
    name = os.path.basename(str(path))
    return os.path.join(folder, name) if name.startswith('best_') and name.endswith('.pth') else None
