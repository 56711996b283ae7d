"""Turns a training checkpoint into two files to give away.

    python tools/convert/publish.py work_dirs/iboot_r50_clip_k400/epoch_200.pth published/ \
        --config configs/iboot_r50_clip_k400.py

writes, with the first 8 digits of the file's SHA-256 in the name,

* ``<name>_backbone-<hash>.pth``: the backbone alone, keys as in a bare MMAction2 backbone (``conv1.conv.weight``);
  for ``backbone.pretrained``. Of a ``FrameResNetV2`` the keys are timm's: for ``checkpoint_path`` of MMAction2's
  ``timm.*``, and, with ``num_classes=0``, of MMPretrain's ``TIMMBackbone`` and of ``timm.create_model``.
* ``<name>-<hash>.pth``: ``backbone.*``, the linear maps W (``projectors.*``) and the statistics of the targets
  (``target_norms.*``), and under ``meta`` who the teachers are, what output of theirs was the target, and their
  licences; what zero-shot use needs. Of a method without a teacher it is ``backbone.*`` alone: heads, momentum copy
  and queue are for training. For ``load_from`` and ``init_cfg``.

Both hold tensors and plain data only, so they load with ``weights_only``, and say under ``meta`` what the backbone is
and which clips it wants: ``iboot_mm.load`` and ``tools/evaluate.py`` need no config for them.
"""

import argparse
import hashlib
import io
from pathlib import Path

import torch

from iboot_mm.stores.atomic_files import AtomicLocalBackend
from iboot_mm.checkpoints.description import describe_checkpoint


def publish(checkpoint: str | Path, out_dir: str | Path, config: str | Path | None = None) -> tuple[Path, Path]:
    """Writes the two files.

    Args:
        checkpoint: Training checkpoint, with ``backbone.*`` and ``projectors.*``.
        out_dir: Folder to write into; made if it is missing.
        config: The config that the checkpoint was trained with; None for the one beside it. The text of it that
            mmengine stores in a checkpoint is not used: it is code, and a checkpoint's code is never run.

    Returns:
        Paths of the backbone file and of the file with backbone, W and teacher.

    Raises:
        FileNotFoundError: there is no such checkpoint or config.
        ValueError: the file is no training checkpoint of this config, or W and the teacher differ in width.
    """
    info = describe_checkpoint(checkpoint, config, build_teachers=True)
    meta, name = info.description(), Path(info.config).stem
    backbone = {key.removeprefix('backbone.'): info.state[key] for key in info.state if key.startswith('backbone.')}
    return (_write(Path(out_dir), f'{name}_backbone', dict(meta=dict(meta, teachers=[]), state_dict=backbone)),
            _write(Path(out_dir), name, dict(meta=meta, state_dict=info.state)))


def _write(out_dir: Path, name: str, content: dict) -> Path:
    """Writes whole or not at all; the same weights give the same hash."""
    buffer = io.BytesIO()  # torch writes a file's own name into it, so a file written directly never hashes alike
    torch.save(content, buffer)
    data = buffer.getvalue()
    path = out_dir / f'{name}-{hashlib.sha256(data).hexdigest()[:8]}.pth'
    AtomicLocalBackend().put(data, path)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('checkpoint', help='training checkpoint (epoch_N.pth)')
    parser.add_argument('out_dir', help='folder to write the two files into')
    parser.add_argument('--config', help='the config that it was trained with; default: the one beside it')
    args = parser.parse_args()
    try:
        paths = publish(args.checkpoint, args.out_dir, args.config)
    except (OSError, ValueError) as error:
        raise SystemExit(f'publish: {error}') from error
    for path in paths:
        print(f'{hashlib.sha256(path.read_bytes()).hexdigest()}  {path}')


if __name__ == '__main__':
    main()
