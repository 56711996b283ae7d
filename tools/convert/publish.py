"""Turns a training checkpoint into two files to give away.

    python tools/convert/publish.py work_dirs/iboot_r50_clip_k400/epoch_200.pth published/ \
        --config configs/iboot_r50_clip_k400.py

writes, with the first 8 digits of the file's SHA-256 in the name,

* ``<name>_backbone-<hash>.pth``: the backbone alone, keys as in a bare MMAction2 backbone (``conv1.conv.weight``);
  for ``backbone.pretrained``.
* ``<name>-<hash>.pth``: ``backbone.*``, the linear maps W (``projectors.*``) and the statistics of the targets
  (``target_norms.*``), and under ``meta`` who the teachers are, what output of theirs was the target, and their
  licences; what zero-shot use needs. For ``load_from`` and ``init_cfg``.

Both hold tensors and plain data only, so they load with ``weights_only``.
"""

import argparse
import hashlib
import io
import os
import pickle
import tempfile
from pathlib import Path

import torch
from mmaction.registry import MODELS
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from torch import Tensor

import iboot_mm

ABOUT = 'iBoot-MM'


def publish(checkpoint: str | Path, out_dir: str | Path, config: str | Path) -> tuple[Path, Path]:
    """Writes the two files.

    Args:
        checkpoint: Training checkpoint, with ``backbone.*`` and ``projectors.*``.
        out_dir: Folder to write into; made if it is missing.
        config: The config that the checkpoint was trained with. The text of it that mmengine stores in a checkpoint
            is not used: it is code, and a checkpoint's code is never run.

    Returns:
        Paths of the backbone file and of the file with backbone, W and teacher.

    Raises:
        FileNotFoundError: there is no such checkpoint or config.
        ValueError: the file is no training checkpoint of this config, or W and the teacher differ in width.
    """
    checkpoint, config = Path(checkpoint), Path(config)
    state = _load_state(checkpoint)
    if not config.is_file():
        raise FileNotFoundError(f'no config at {config}: give the one that {checkpoint.name} was trained with')
    cfg = Config.fromfile(config)
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    backbone = _part(state, 'backbone.')
    if not backbone:
        raise ValueError(f'{checkpoint} has no key that starts with "backbone.": it is not a training checkpoint of '
                         f'{ABOUT}')
    _check_backbone(backbone, cfg.model.backbone, checkpoint, config)
    teachers = _identities(state, cfg.model, checkpoint, config)

    about = dict(project=ABOUT, version=iboot_mm.__version__, config=config.name, source=checkpoint.name,
                 backbone=_plain(cfg.model.backbone), feature_dim=cfg.model.feature_dim)
    kept = {f'backbone.{key}': value for key, value in backbone.items()}
    for i in range(len(teachers)):  # a momentum copy's W comes last and is of no use without the copy
        for part in (f'projectors.{i}.', f'target_norms.{i}.'):
            kept.update({part + key: value for key, value in _part(state, part).items()})
    whole = dict(about, teachers=teachers, temporal_pool=cfg.model.get('temporal_pool', True),
                 target_norm=cfg.model.get('target_norm', 'none'))
    name = config.stem
    return (_write(Path(out_dir), f'{name}_backbone', dict(meta=about, state_dict=backbone)),
            _write(Path(out_dir), name, dict(meta=whole, state_dict=kept)))


def _load_state(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f'no checkpoint at {path}')
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except (pickle.UnpicklingError, EOFError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ValueError(f'{path} is damaged, or holds more than tensors and plain data: {reason}') from error
    state = content.get('state_dict', content) if isinstance(content, dict) else None
    if not isinstance(state, dict):
        raise ValueError(f'{path} holds a {type(content).__name__}, not a dict of weights')
    return {key: value.cpu().contiguous() for key, value in state.items() if isinstance(value, Tensor)}


def _part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key[len(prefix):]: value for key, value in state.items() if key.startswith(prefix)}


def _check_backbone(weights: dict[str, Tensor], backbone: ConfigDict, checkpoint: Path, config: Path) -> None:
    try:
        MODELS.build(backbone).load_state_dict(weights)
    except RuntimeError as error:
        lines = str(error).strip().splitlines()
        raise ValueError(f'the backbone in {checkpoint} is not the one of {config}: {lines[-1].strip()}') from error


def _identities(state: dict[str, Tensor], model: ConfigDict, checkpoint: Path, config: Path) -> list[dict]:
    identities = []
    configs = model.teacher if isinstance(model.teacher, list) else [model.teacher]
    for i, teacher in enumerate(configs):
        identity = MODELS.build(teacher).identity()
        weight = state.get(f'projectors.{i}.weight')
        if weight is None:
            raise ValueError(f'{checkpoint} has no "projectors.{i}.weight", but {config} names '
                             f'{len(configs)} teacher(s)')
        if weight.shape[0] != identity['width']:
            raise ValueError(f'projectors.{i} of {checkpoint} maps to {weight.shape[0]} dimensions, but the teacher of '
                             f'{config} ({identity.get("model", identity["type"])}) has {identity["width"]}: the '
                             'checkpoint was trained with another teacher or another output of it')
        identities.append(_plain(identity))
    return identities


def _plain(value: object) -> object:
    """Containers of plain Python values only, as ``weights_only`` demands."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)


def _write(out_dir: Path, name: str, content: dict) -> Path:
    """Writes whole or not at all; the same weights give the same hash."""
    out_dir.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()  # torch writes a file's own name into it, so a file written directly never hashes alike
    torch.save(content, buffer)
    data = buffer.getvalue()
    path = out_dir / f'{name}-{hashlib.sha256(data).hexdigest()[:8]}.pth'
    handle, partial = tempfile.mkstemp(dir=out_dir, prefix=path.name, suffix='.part')
    try:
        with os.fdopen(handle, 'wb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('checkpoint', help='training checkpoint (epoch_N.pth)')
    parser.add_argument('out_dir', help='folder to write the two files into')
    parser.add_argument('--config', required=True, help='the config that it was trained with')
    args = parser.parse_args()
    try:
        paths = publish(args.checkpoint, args.out_dir, args.config)
    except (FileNotFoundError, ValueError) as error:
        raise SystemExit(f'publish: {error}') from error
    for path in paths:
        print(f'{hashlib.sha256(path.read_bytes()).hexdigest()}  {path}')


if __name__ == '__main__':
    main()
