"""Faults of mmengine in finding what a run wrote."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .replacing import replace

NOTE = 'last_checkpoint'


def apply() -> None:
    """Mends what is below, each only where it is present."""
    look_inside_first()


def latest_checkpoint(folder: str | Path) -> str | None:
    """The last checkpoint of a run: the one look-up of everything that reads a work dir.

    ``last_checkpoint`` holds an absolute path. A folder that was moved, copied or renamed has its own file of that
    name, whatever lies at the path by now; only a run that writes its checkpoints elsewhere (``out_dir``) has not.

    Args:
        folder: The work dir.

    Returns:
        The file, in the folder itself if it is nowhere; None if the run has saved nothing.

    Raises:
        FileNotFoundError: the file is not there, and where it was is another run by now.
    """
    note = Path(folder) / NOTE
    if not note.is_file():
        return None
    named = note.read_text(errors='replace').strip()
    if '://' in named:
        return named
    inside, outside = note.parent / Path(named).name, Path(named)
    if inside.is_file() or not outside.is_file():
        return str(inside)
    if (outside.parent / NOTE).is_file():
        raise FileNotFoundError(f'{note} names {named[:200]}, which is not in {folder} but in the work dir of another '
                                'run: name a checkpoint instead of the folder')
    return named


def look_inside_first() -> None:
    """mmengine (all versions): resuming in a copied or renamed work dir takes the checkpoint at the old place.

    A new run there gives its weights, an empty place an error without advice. No date to go.
    """
    import mmengine.runner
    from mmengine.runner import checkpoint, runner

    def make(original: Callable) -> Callable:
        def find_latest_checkpoint(path: Any) -> Any:
            return latest_checkpoint(path)
        return find_latest_checkpoint

    replace(checkpoint, 'find_latest_checkpoint', make)
    for module in (mmengine.runner, runner):
        module.find_latest_checkpoint = checkpoint.find_latest_checkpoint
