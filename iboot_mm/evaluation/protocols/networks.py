"""The networks that an evaluation compares: trained ones, untrained ones, and a teacher by itself."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import torch
from mmaction.registry import MODELS
from mmengine.config import Config

from ...checkpoints.clip_recipe import clip_recipe
from ...checkpoints.description import CheckpointInfo, describe_checkpoint
from ...checkpoints.recipes import read_recipe
from ...stores.atomic_files import AtomicLocalBackend
from ...stores.identity import digest_weights
from ...weights.state_dicts import StateDict, read_file


@dataclass(frozen=True)
class Network:
    """What is evaluated.

    Attributes:
        name: A path, ``random`` or ``teacher``.
        seed: Of the training that a protocol does, and of random weights.
        clip: The clips of its pre-training, see :class:`~iboot_mm.checkpoints.CheckpointInfo`.
        weights: File of the weights that stock launchers load; None for a teacher, which brings its own, as does an
            ImageTMM without a temporal module.
        info: The checkpoint's content; None for a teacher.
        teacher: The teacher's config, where it is one.
    """

    name: str
    seed: int
    clip: dict
    weights: Path | None = None
    info: CheckpointInfo | None = None
    teacher: dict | None = None

    @property
    def sha256(self) -> str | None:
        """Of the file of the weights."""
        return hashlib.sha256(self.weights.read_bytes()).hexdigest() if self.weights else None


def load_network(name: str, seed: int, config: Path | None, folder: Path) -> Network:
    """A network by its name.

    Args:
        name: Checkpoint (see :func:`~iboot_mm.checkpoints.describe_checkpoint`), ``random`` for the untrained
            backbone of ``config``, or ``teacher`` for its teacher.
        seed: See :class:`Network`.
        config: The pre-training config, where it is not beside the checkpoint.
        folder: Where to write weights that have no file of their own that ``load_from`` takes.

    Raises:
        FileNotFoundError: no such checkpoint or config.
        ValueError: the checkpoint and its config do not agree, or a teacher or a random network has no config.
    """
    if name in ('random', 'teacher') and config is None:
        raise ValueError(f'{name} needs --config, the pre-training config that describes it')
    if config is not None and not config.is_file():
        raise FileNotFoundError(f'there is no config {config}: name the one of the pre-training')
    if name == 'teacher':
        return Network(name, seed, clip_recipe(Config.fromfile(config), config), teacher=_teacher(config))
    if name == 'random':
        path = folder / f'random_{seed}.pth'
        info = _untrained(config, seed, path)
        return Network(name, seed, info.clip, path if info.state else None, info)
    info = describe_checkpoint(name, config)
    return Network(name, seed, info.clip, _plain_checkpoint(info, folder), info)


def _teacher(config: Path) -> dict:
    teacher = Config.fromfile(config).model.get('teacher')
    if not isinstance(teacher, dict):
        raise ValueError(f'{config} has {"several teachers" if teacher else "no teacher"}: name a config with one')
    return teacher


def _untrained(config: Path, seed: int, path: Path) -> CheckpointInfo:
    recipe = read_recipe(config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = MODELS.build(recipe['backbone'])
        network.init_weights()
    state = {f'backbone.{key}': value for key, value in network.state_dict().items()}
    if state:
        _save(state, path)
    return CheckpointInfo(path=path, state=state, **{**recipe, 'teachers': []})


def _plain_checkpoint(info: CheckpointInfo, folder: Path) -> Path:
    """The checkpoint itself where ``load_from`` takes it, else a copy of its weights, named after them.

    Under one name for all, the results of one checkpoint would pass for another's.
    """
    if info.path.suffix != '.safetensors':
        content = read_file(info.path)
        if any(key.startswith('backbone.') for key in content.get('state_dict', content)):
            return info.path.resolve()
    path = folder / f'checkpoint_{digest_weights(info.state)[:12]}.pth'
    _save(info.state, path)
    return path


def _save(state: StateDict, path: Path) -> None:
    content = io.BytesIO()
    torch.save(dict(meta={}, state_dict=state), content)
    AtomicLocalBackend().put(content.getvalue(), path)
