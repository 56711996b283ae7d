"""What is in a checkpoint: the network, how it wants its clips, and whose features it was trained towards.

Five kinds are understood: a training checkpoint and its config, a work dir, a file of ``tools/convert/publish.py``, a
folder of ``tools/convert/export_hub.py``, and the checkpoint of a stock MMAction2 recognizer and its config. The first
two and the last need a config, which is code: mmengine's copy beside the checkpoint is only as trustworthy as that
folder. The other two carry plain data (see :mod:`.schema`), and nothing in them is ever run; no more is the text of a
config that mmengine keeps inside a checkpoint.
"""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import torch
from mmaction.registry import MODELS
from torch import Tensor

from ..compat import latest_checkpoint
from ..compat.archives import check_weights
from ..models.encoders.video import VideoEncoder
from ..version import __version__
from ..weights.state_dicts import StateDict, misfits, read_file
from .components import check_components, outline
from .recipes import plain, read_recipe
from .schema import PROJECT, read_description

WEIGHTS, DESCRIPTION = 'model.safetensors', 'config.json'  # the files of an exported folder
KEPT = ('backbone.', 'projectors.', 'target_norms.')


@dataclass(frozen=True)
class CheckpointInfo:
    """A checkpoint's content.

    Attributes:
        path: The file of its weights.
        config: File name of the config that it was trained with.
        state: ``backbone.*`` and, of pre-training, ``projectors.{i}.*`` (W) and ``target_norms.{i}.*`` of the i-th
            teacher; on the CPU.
        backbone: Config of the backbone, plain data, without the weights that its own training started from.
        feature_dim: Width D of its features.
        clip: ``clip_len`` (frames), ``frame_interval`` (frames, or ticks of ``target_fps``), ``target_fps`` (Hz, or
            None for each video's own), ``sampling``, ``size`` and ``short_side`` (pixels).
        teachers: One dict per teacher, with ``type``, ``width`` (of W) and, by its kind, ``model``, ``pretrained``,
            ``output`` (``'embedding'`` if absent) and so on: a training checkpoint's as the config says, a published
            one's as the teacher itself said, then with ``licence``.
        temporal_pool: See :class:`~iboot_mm.models.pretrainers.IBoot`.
        target_norm: See :class:`~iboot_mm.models.pretrainers.IBoot`.
        normalization: See :class:`~iboot_mm.models.VideoEncoder`.
    """

    path: Path
    config: str
    state: StateDict = field(repr=False)
    backbone: dict
    feature_dim: int
    clip: dict
    teachers: list[dict]
    temporal_pool: bool
    target_norm: str
    normalization: dict | None = None

    def description(self) -> dict:
        """All but the weights, as plain data: what published files and folders carry.

        Raises:
            ValueError: it says what no reader would accept, see :mod:`.schema`.
        """
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in ('path', 'state')}
        return read_description(dict(project=PROJECT, version=__version__, source=self.path.name, **fields),
                                self.path.name)

    def build_encoder(self) -> VideoEncoder:
        """The backbone as an encoder, with these weights, on the CPU in eval mode."""
        encoder = VideoEncoder(self.backbone, normalization=self.normalization)
        encoder.load_state_dict({key: value for key, value in self.state.items() if key.startswith('backbone.')},
                                strict=False)  # the encoder itself is strict about its backbone
        return encoder.eval()


def describe_checkpoint(path: str | Path, config: str | Path | None = None,
                        build_teachers: bool = False) -> CheckpointInfo:
    """Reads a checkpoint of any of the five kinds.

    Args:
        path: File or folder.
        config: What it was trained with; None takes the description that a published file carries, else the one config
            that mmengine left beside the checkpoint.
        build_teachers: Build the config's teachers, weights and all, so that they name themselves and their licence.

    Raises:
        FileNotFoundError: there is no such file, folder or config.
        ValueError: the file can't be read, is of another network or (if they are built) of other teachers than the
            config's, or the config says too little.
    """
    path = Path(path)
    if path.is_dir():
        path = path / WEIGHTS if (path / DESCRIPTION).is_file() else last_checkpoint(path)
    if not path.is_file():
        raise FileNotFoundError(f'no checkpoint at {path}')
    content = read_file(path)
    check_weights(content, path)
    state = content.get('state_dict', content)
    exported = path.name == WEIGHTS and (path.parent / DESCRIPTION).is_file()
    meta = path.parent / DESCRIPTION if exported else content.get('meta')
    published = exported or isinstance(meta, dict) and meta.get('project') == PROJECT
    if published and not any(str(key).startswith('backbone.') for key in state):
        state = {f'backbone.{key}': value for key, value in state.items()}  # the file of the backbone alone
    if config is None and published:
        return _from_description(read_description(meta, path), state, path)
    config = Path(config) if config is not None else _config_beside(path)
    return _from_config(config, state, path, build_teachers)


def _from_config(config: Path, state: StateDict, path: Path, build_teachers: bool) -> CheckpointInfo:
    if not config.is_file():
        raise FileNotFoundError(f'no config at {config}: give the one that {path.name} was trained with')
    recipe = read_recipe(config)
    info = _checked(CheckpointInfo(path=path, state=_kept(state, len(recipe['teachers'])), **recipe))
    widths = [len(torch.atleast_1d(info.state[f'projectors.{i}.weight'])) for i in range(len(info.teachers))]
    teachers = [_identity(i, teacher, width, info) if build_teachers else {**teacher, 'width': width}
                for i, (teacher, width) in enumerate(zip(info.teachers, widths))]
    return dataclasses.replace(info, teachers=teachers)


def _identity(i: int, teacher: dict, width: int, info: CheckpointInfo) -> dict:
    identity = MODELS.build(teacher).identity()
    if identity['width'] != width:
        raise ValueError(f'projectors.{i} of {info.path} maps to {width} dimensions, but the teacher of '
                         f'{info.config} ({identity.get("model", identity["type"])}) has {identity["width"]}: the '
                         'checkpoint was trained with another teacher or another output of it')
    return plain(identity)


def _from_description(description: dict, state: StateDict, path: Path) -> CheckpointInfo:
    check_components(description['backbone'], path)
    fields = {f.name: description[f.name] for f in dataclasses.fields(CheckpointInfo) if f.name in description}
    info = CheckpointInfo(path=path, state=_kept(state, len(description['teachers'])), **fields)
    _compare(info, outline(info.backbone, len(info.state), path))
    _with_teachers(info)
    for i, teacher in enumerate(info.teachers):
        shape, stated = tuple(info.state[f'projectors.{i}.weight'].shape), (teacher['width'], info.feature_dim)
        if shape != stated:
            raise ValueError(f'"projectors.{i}.weight" of {path} is {shape}, but its description says {stated}')
    return info


def _kept(state: StateDict, num_teachers: int) -> StateDict:
    """Without losses' counters, classifier and momentum copy, whose W comes last and is of no use without the copy."""
    kept = {}
    for key, value in state.items():
        part, _, rest = str(key).partition('.')
        of_teacher = part == 'backbone' or rest.split('.')[0] in map(str, range(num_teachers))
        if isinstance(value, Tensor) and str(key).startswith(KEPT) and of_teacher:
            kept[key] = value.contiguous()
    return kept


def _checked(info: CheckpointInfo) -> CheckpointInfo:
    _compare(info, MODELS.build(info.backbone).state_dict())
    return _with_teachers(info)


def _compare(info: CheckpointInfo, own: StateDict) -> None:
    """Refuses weights that are not those of a network."""
    if not any(key.startswith('backbone.') for key in info.state):
        raise ValueError(f'{info.path} has no key that starts with "backbone.": it is no checkpoint of a video network')
    own = {f'backbone.{key}': value for key, value in own.items()}
    if problem := next(misfits(own, info.state, 'backbone.'), None):
        raise ValueError(f'the backbone in {info.path} is not the one of {info.config}: {problem}')


def _with_teachers(info: CheckpointInfo) -> CheckpointInfo:
    for i in range(len(info.teachers)):
        if f'projectors.{i}.weight' not in info.state:
            raise ValueError(f'{info.path} has no "projectors.{i}.weight", but {info.config} names '
                             f'{len(info.teachers)} teacher(s)')
    return info


def last_checkpoint(folder: Path) -> Path:
    """The last checkpoint of a work dir, its own one where the folder was moved or copied."""
    found = latest_checkpoint(folder)
    if found is None:
        raise FileNotFoundError(f'{folder} is neither a work dir with a last_checkpoint nor a folder of export_hub.py '
                                f'with a {DESCRIPTION}: name a checkpoint in it')
    return Path(found)


def _config_beside(path: Path) -> Path:
    found = sorted(path.parent.glob('*.py'))
    if len(found) != 1:
        names = ', '.join(file.name for file in found) or 'none'
        raise FileNotFoundError(f'{path} needs the config that it was trained with; beside it lies {names}: name one '
                                'with config= or --config')
    return found[0]
