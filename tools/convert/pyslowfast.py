"""Turns a checkpoint of PySlowFast into one of MMAction2, and back.

    python tools/convert/pyslowfast.py BYOL_SlowR50_8x8_T2_epoch_00200.pyth byol_rho2.pth
    python tools/convert/pyslowfast.py --reverse work_dirs/iboot_r50_clip_k400/epoch_200.pth iboot.pyth

Contrastive and supervised Slow networks (R50, R101) of any T x tau. What is written loads as ``load_from`` of any
config with this backbone, also MMAction2's own (R50: ``ResNet3dSlowOnly``), and ``iboot_mm.load`` and
``tools/evaluate.py`` take it without a config. Backbone and supervised classifier are converted, bit by bit; what else
the file holds is counted and left out, and an unknown entry is an error. The input has to be normalised as the peer
does it: the file says how, and both of the above obey it.

``--reverse`` writes what the peer's ``TRAIN.CHECKPOINT_FILE_PATH`` takes for fine-tuning.
"""

import argparse
import io
from pathlib import Path

import torch
import yaml

from iboot_mm.stores.atomic_files import AtomicLocalBackend
from iboot_mm.checkpoints.description import CheckpointInfo
from iboot_mm.checkpoints.pyslowfast import Conversion, clip, from_peer, read_settings, to_peer
from iboot_mm.checkpoints.schema import PROJECT, read_description
from iboot_mm.compat.archives import check_weights
from iboot_mm.models.encoders.video import BACKBONE_MEAN, BACKBONE_STD
from iboot_mm.weights.state_dicts import StateDict, read_file


def convert(source: Path, out: Path, momentum: bool = False, clip_size: tuple[int, int] | None = None) -> str:
    """Writes a PySlowFast network as a checkpoint of MMAction2 that describes itself.

    Args:
        source: The ``.pyth`` file.
        out: File to write.
        momentum: Take the momentum copy instead of the network that it follows.
        clip_size: T and tau, where the file does not say them.

    Returns:
        What was done, in words.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it can't be read as data, or :func:`~iboot_mm.checkpoints.pyslowfast.from_peer` refuses it.
    """
    content, state = _read(source, out, 'model_state')
    conversion = _named(from_peer, source, state, momentum)
    training, own_clip, normalization = read_settings(content.get('cfg'))
    said = 'as the file says'
    if clip_size is not None:
        own_clip, said = clip(*clip_size), 'as --clip says'
    elif own_clip is None:
        own_clip, said = clip(8, 8), 'a guess, the file does not say: see --clip'
    info = CheckpointInfo(
        path=source, config=f'PySlowFast ({training})', state=conversion.state, backbone=conversion.backbone,
        feature_dim=conversion.feature_dim, clip=own_clip, teachers=[], temporal_pool=True, target_norm='none',
        normalization=normalization)
    _write(dict(meta=info.description(), state_dict=conversion.state), out)
    depth = conversion.backbone['depth']
    stock = 'the same as' if depth == 50 else 'at this depth not'
    return '\n'.join([
        f'{out}: Slow R{depth} {own_clip["clip_len"]}x{own_clip["frame_interval"]} ({said}), training {training}; '
        f'{_counts(conversion)}',
        f"Backbone: {conversion.backbone}, {stock} MMAction2's ResNet3dSlowOnly.",
        f'Input: RGB in [0, 1], normalised with mean {normalization["mean"]} and std {normalization["std"]}. '
        'iboot_mm.load and tools/evaluate.py read this from the file; a config has to say it '
        '(configs/downstream/_base_/pyslowfast_input.py).'])


def revert(source: Path, out: Path) -> str:
    """Writes a Slow network of this project or of MMAction2 as a checkpoint that PySlowFast fine-tunes.

    Without ``epoch`` and ``optimizer_state`` the peer starts at epoch 0 with an optimizer of its own. It never reads
    ``cfg``, which says here how the network wants its input.

    Args:
        source: Training checkpoint, published file, or a file of :func:`convert`.
        out: File to write.

    Returns:
        What was done, in words.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it can't be read as data, or :func:`~iboot_mm.checkpoints.pyslowfast.to_peer` refuses it.
    """
    content, state = _read(source, out, 'state_dict')
    conversion = _named(to_peer, source, state)
    meta = content.get('meta')
    meta = read_description(meta, source) if isinstance(meta, dict) and meta.get('project') == PROJECT else {}
    normalization = meta.get('normalization') or dict(mean=list(BACKBONE_MEAN), std=list(BACKBONE_STD))
    # 57.12 / 255 is .224 but for the last digit.
    data = {name.upper(): [round(value, 6) for value in normalization[name]] for name in ('mean', 'std')}
    if 'clip' in meta:
        data |= dict(NUM_FRAMES=meta['clip']['clip_len'], SAMPLING_RATE=meta['clip']['frame_interval'],
                     TARGET_FPS=meta['clip']['target_fps'])
    network = dict(DEPTH=conversion.backbone['depth'], WIDTH_PER_GROUP=conversion.backbone.get('base_channels', 64))
    settings = dict(DATA=data, MODEL=dict(ARCH='slow'), RESNET=network)
    _write(dict(model_state=conversion.state, cfg=yaml.safe_dump(settings)), out)
    said = ', '.join(f'{part}.{name} {value}' for part in settings for name, value in settings[part].items()
                     if value is not None)
    return (f'{out}: {_counts(conversion)}\nIn PySlowFast: TRAIN.CHECKPOINT_FILE_PATH {out}, and feed it as it was '
            f'trained: {said}' + ('' if meta else ' (mean and std are a guess, the file does not say)'))


def _read(source: Path, out: Path, name: str) -> tuple[dict, StateDict]:
    """A checkpoint, and the tensors that it holds under ``name``, or is."""
    if not source.is_file():
        raise FileNotFoundError(f'there is no file {source}')
    if out.exists() and out.samefile(source):
        raise ValueError(f'{out} is the checkpoint to read, most of which would be lost: name another file to write')
    content = read_file(source)
    check_weights(content, source)
    state = content.get(name, content)
    if not (isinstance(state, dict) and state and all(
            isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state.items())):
        others = dict(state_dict="it is one of MMAction2's, which --reverse takes",
                      model_state="it is one of PySlowFast's: leave --reverse out")
        kind = next((said for key, said in others.items() if key != name and key in content),
                    'is it the right kind of checkpoint?')
        raise ValueError(f'{source} holds no {name}, a dict of tensors: {kind}')
    return content, state


def _named(convert_state, source: Path, state: StateDict, *arguments) -> Conversion:
    try:
        return convert_state(state, *arguments)
    except ValueError as error:
        raise ValueError(f'{source} was not converted: {error}') from None


def _counts(conversion: Conversion) -> str:
    left_out = [f'{len(names)} of {what}' for what, names in conversion.left_out.items()]
    return f'{len(conversion.state)} entries converted, left out: {", ".join(left_out) or "nothing"}'


def _write(content: dict, out: Path) -> None:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    AtomicLocalBackend().put(buffer.getvalue(), out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', type=Path, help='checkpoint to read')
    parser.add_argument('out', type=Path, help='file to write')
    parser.add_argument('--reverse', action='store_true', help="from MMAction2's names to PySlowFast's")
    parser.add_argument('--momentum', action='store_true', help='the momentum copy instead of the online network')
    parser.add_argument('--clip', type=_clip, metavar='TxTAU', help='frames and stride, where the file does not say')
    args = parser.parse_args()
    if args.reverse and (args.momentum or args.clip):
        parser.error('--momentum and --clip are of the way from PySlowFast, not of --reverse')
    try:
        print(revert(args.source, args.out) if args.reverse else
              convert(args.source, args.out, args.momentum, args.clip))
    except (OSError, ValueError) as error:
        raise SystemExit(f'pyslowfast: {error}') from error


def _clip(text: str) -> tuple[int, int]:
    frames, _, interval = text.partition('x')
    if not (frames.isdecimal() and interval.isdecimal() and int(frames) and int(interval)):
        raise argparse.ArgumentTypeError(f'{text!r} is not frames x stride, such as 8x8')
    return int(frames), int(interval)


if __name__ == '__main__':
    main()
