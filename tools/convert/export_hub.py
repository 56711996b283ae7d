"""Turns a checkpoint into a folder for the Hugging Face hub.

    python tools/convert/export_hub.py work_dirs/iboot_r50_clip_k400/epoch_200.pth exported/ \
        --config configs/iboot_r50_clip_k400.py --licence mit --figures knn.json
    hf upload USER/NAME exported/

writes ``model.safetensors`` (backbone, and of pre-training W and the statistics of the targets), ``config.json`` (what
the network is and which clips it wants) and ``README.md`` (a model card with the licences of code and teacher). No file
can hold code. ``iboot_mm.load`` takes the folder, and the repository by its name.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import ModelCardData

from iboot_mm.checkpoints.description import DESCRIPTION, WEIGHTS, CheckpointInfo, describe_checkpoint
from iboot_mm.weights.digests import save_with_digest

CARD = '''# {title}

Weights of a network ({backbone}, features of width {width}), trained with
[MMAction2](https://github.com/open-mmlab/mmaction2) and iBoot-MM {version} by `{config}`.

```python
import iboot_mm

extract = iboot_mm.load('USER/NAME')  # this repository, or its folder
features = extract('videos/')         # float32 (n_videos, {width}), one row per file of extract.files('videos/')
```

Clips: {clip}.

`{weights}` holds {parts}. `{description}` describes them; no file here holds code.

## Figures

{figures}

## Licences

{licences}
'''


def export(checkpoint: str | Path, out_dir: str | Path, config: str | Path | None = None, licence: str | None = None,
           figures: Sequence[str | Path] = ()) -> Path:
    """Writes the folder, whole or not at all.

    Args:
        checkpoint: What :func:`~iboot_mm.checkpoints.describe_checkpoint` takes.
        out_dir: The folder; it must not exist, or be empty.
        config: The config of a training checkpoint or of a stock recognizer.
        licence: That the weights are given under, as the hub names it; None writes ``other``.
        figures: JSON files of names and numbers, as ``tools/test.py --out`` writes them, for the card.

    Returns:
        The folder.

    Raises:
        FileExistsError: the folder holds something.
        FileNotFoundError: there is no such checkpoint, config or file of figures.
        ValueError: the checkpoint can't be described, or a file of figures holds something else.
    """
    out_dir = Path(out_dir)
    if out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise FileExistsError(f'{out_dir} exists and is not an empty folder: name another one')
    info = describe_checkpoint(checkpoint, config, build_teachers=True)
    card = model_card(info, out_dir.name, licence, read_figures(figures))
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=out_dir.parent, prefix=f'{out_dir.name}.', suffix='.partial'))
    try:
        save_with_digest(info.state, partial / WEIGHTS)
        (partial / DESCRIPTION).write_text(json.dumps(info.description(), indent=1) + '\n', encoding='utf-8')
        (partial / 'README.md').write_text(card, encoding='utf-8')
        for file in partial.iterdir():
            file.chmod(0o644)  # temporary files are for their owner only
        partial.chmod(0o755)
        partial.replace(out_dir)
    except BaseException:
        shutil.rmtree(partial)
        raise
    return out_dir


def model_card(info: CheckpointInfo, title: str, licence: str | None, figures: dict[str, float]) -> str:
    """The text of the hub's README.md."""
    data = ModelCardData(license=licence or 'other', library_name='iboot_mm', pipeline_tag='feature-extraction',
                         tags=['video', 'mmaction2'])
    parts = 'the backbone (`backbone.*`)'
    if info.teachers:
        parts += ', the linear maps into the spaces of the teachers (`projectors.*`)'
        parts += ' and the statistics of their features (`target_norms.*`)' if info.target_norm != 'none' else ''
    rows = [f'| {name} | {value:g} |' for name, value in figures.items()]
    meta = info.description()
    text = CARD.format(
        title=title,
        backbone=', depth '.join(str(info.backbone[name]) for name in ('type', 'depth') if name in info.backbone),
        width=info.feature_dim, version=meta['version'], config=info.config, weights=WEIGHTS, parts=parts,
        description=DESCRIPTION, licences=licence_note(info, licence),
        clip=clip_note(info.clip),
        figures='\n'.join(['| metric | value |', '|---|---|', *rows]) if rows else 'None were given.')
    return f'---\n{data.to_yaml()}\n---\n\n{text}'


def clip_note(clip: dict) -> str:
    """The clips that the network wants, in words."""
    clock = f'ticks of a clock of {clip["target_fps"]:g} Hz' if clip['target_fps'] else 'frames of the video'
    frames = (f'one in each of {clip["clip_len"]} equal parts of the video' if clip['sampling'] == 'segments' else
              f'{clip["frame_interval"]:g} {clock} apart')
    return (f'{clip["clip_len"]} frames, {frames}; short side {clip["short_side"]} pixels, centre square of '
            f'{clip["size"]}; RGB in [0, 1]')


def licence_note(info: CheckpointInfo, licence: str | None) -> str:
    """Whose terms bear on the weights."""
    lines = ['- Code: Apache-2.0 (iBoot-MM, MMAction2).',
             f'- These weights: {licence or "not stated; ask whoever published them"}.']
    for teacher in info.teachers:
        tag = f' ({teacher["pretrained"]})' if teacher.get('pretrained') else ''
        lines.append(f'- Teacher: {teacher.get("model", teacher["type"])}{tag}; licence of its weights: '
                     f'{teacher["licence"]}. The weights here were trained towards its features and hold none of its '
                     'own; whether its terms reach them is for you to judge.')
    return '\n'.join(lines)


def read_figures(paths: Sequence[str | Path]) -> dict[str, float]:
    """All figures of the files in one dict.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file holds something else than names and numbers.
    """
    figures = {}
    for path in map(Path, paths):
        if not path.is_file():
            raise FileNotFoundError(f'no figures at {path}')
        try:
            figures.update({str(name): float(value) for name, value in json.loads(path.read_text()).items()})
        except (ValueError, TypeError, AttributeError):
            raise ValueError(f'{path} is not a JSON object of names and numbers, as tools/test.py --out writes '
                             'it') from None
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('checkpoint', help='training checkpoint, work dir or published file')
    parser.add_argument('out_dir', help='folder to write; must not exist, or be empty')
    parser.add_argument('--config', help='the config of a training checkpoint; default: the one beside it')
    parser.add_argument('--licence', help="licence of the weights by the hub's name, such as apache-2.0")
    parser.add_argument('--figures', nargs='+', default=[], help='JSON files of tools/test.py --out, for the card')
    args = parser.parse_args()
    try:
        folder = export(args.checkpoint, args.out_dir, args.config, args.licence, args.figures)
    except (OSError, ValueError) as error:
        raise SystemExit(f'export_hub: {error}') from error
    print(f'{folder} is complete; to give it away: hf upload USER/NAME {folder}')


if __name__ == '__main__':
    main()
