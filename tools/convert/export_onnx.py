"""Turns a checkpoint into an ONNX file: clips in, one feature per clip out.

    python tools/convert/export_onnx.py work_dirs/iboot_r50_clip_k400/epoch_200.pth iboot_r50.onnx \
        --config configs/iboot_r50_clip_k400.py

The file takes ``clips`` float32 ``(N, 3, T, H, W)``, RGB in [0, 1], any N, and gives ``features`` ``(N, D)``:
normalisation, backbone, and the average over space and time. T, H and W are those of the checkpoint's evaluation; which
frames and pixels they are stands in the file's metadata under ``clip``. Before it is written, onnxruntime's features of
random clips are compared with PyTorch's.

Needs ``pip install iboot_mm[onnx]``.
"""

import argparse
import json
import os
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from iboot_mm.compat import keep_pads_apart
from iboot_mm.checkpoints.description import describe_checkpoint
from iboot_mm.models.encoders.video import VideoEncoder

TOLERANCE = 1e-4  # greatest difference, as a share of the greatest feature
CHECKED_BATCHES = (1, 3)  # other than the one that is traced


class ClipFeatures(nn.Module):
    """An encoder as a function of one tensor."""

    def __init__(self, encoder: VideoEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, clips: Tensor) -> Tensor:
        """Clips ``(N, C, T, H, W)`` in [0, 1] to features ``(N, D)``."""
        return self.encoder.extract_feat(clips).mean(dim=1)


def export(checkpoint: str | Path, out: str | Path, config: str | Path | None = None) -> float:
    """Writes the file, if it gives PyTorch's features.

    Args:
        checkpoint: What :func:`~iboot_mm.checkpoints.describe_checkpoint` takes.
        out: The ONNX file.
        config: The config of a training checkpoint or of a stock recognizer.

    Returns:
        The greatest difference found, as a share of the greatest feature.

    Raises:
        ImportError: a package of the extra ``onnx`` is missing.
        FileNotFoundError: there is no such checkpoint or config.
        ValueError: the checkpoint can't be described, or the features differ by more than :data:`TOLERANCE`.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  (torch's exporter is built on it)
    except ImportError as error:
        raise ImportError(f'{error.name} is not installed: pip install iboot_mm[onnx]') from None
    info, out = describe_checkpoint(checkpoint, config), Path(out)
    network = ClipFeatures(info.build_encoder()).eval()
    keep_pads_apart(network)
    shape = (3, info.clip['clip_len'], info.clip['size'], info.clip['size'])
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of torch's exporter about itself
        program = torch.onnx.export(
            network, (torch.rand(2, *shape),), input_names=['clips'], output_names=['features'],
            dynamic_shapes=dict(clips={0: torch.export.Dim('N')}), dynamo=True, verbose=False)
    program.model.metadata_props.update(
        clip=json.dumps(info.clip), source=info.path.name, config=info.config, project='iBoot-MM')
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + '.partial')
    try:
        program.save(str(partial), external_data=False)
        session = onnxruntime.InferenceSession(str(partial), providers=['CPUExecutionProvider'])
        difference = max(compare(network, session, torch.rand(batch, *shape)) for batch in CHECKED_BATCHES)
        if not difference <= TOLERANCE:
            raise ValueError(f'the features of {out} differ from those of PyTorch by {difference:.1e} of the greatest, '
                             f'more than {TOLERANCE:.0e}: it was not written')
        os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)
    return difference


@torch.no_grad()
def compare(network: nn.Module, session, clips: Tensor) -> float:
    """Greatest difference between the features of PyTorch and of an onnxruntime session, as a share of the greatest."""
    ours = network(clips)
    theirs = torch.from_numpy(session.run(['features'], dict(clips=clips.numpy()))[0])
    return ((ours - theirs).abs().max() / ours.abs().max()).item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('checkpoint', help='training checkpoint, work dir, published file or exported folder')
    parser.add_argument('out', help='file to write (.onnx)')
    parser.add_argument('--config', help='the config of a training checkpoint; default: the one beside it')
    args = parser.parse_args()
    try:
        difference = export(args.checkpoint, args.out, args.config)
    except (ImportError, OSError, ValueError) as error:
        raise SystemExit(f'export_onnx: {error}') from error
    print(f'{args.out} gives the features of PyTorch: greatest difference {difference:.1e} of the greatest feature')


if __name__ == '__main__':
    main()
